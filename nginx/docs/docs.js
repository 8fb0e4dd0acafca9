// The reference of /docs, made from /openapi.yaml in the reader's browser by Swagger UI. It only shows: no request
// is offered, no secret asked for (docs.css), and nothing is loaded from another host, which the page's
// Content-Security-Policy in consign/web.conf would refuse.
SwaggerUIBundle({
  url: "/openapi.yaml",
  dom_id: "#docs",
  deepLinking: true,
  supportedSubmitMethods: [],
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
});
