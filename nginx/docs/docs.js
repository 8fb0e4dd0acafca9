// The reference of /docs, made from /openapi.yaml in the reader's browser by Swagger UI. It only shows: nobody is to
// type a token into a page, so no request is offered, and nothing is loaded from another host (the page's
// Content-Security-Policy in consign/web.conf would refuse it).
SwaggerUIBundle({
  url: "/openapi.yaml",
  dom_id: "#docs",
  deepLinking: true,
  supportedSubmitMethods: [],
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
});
