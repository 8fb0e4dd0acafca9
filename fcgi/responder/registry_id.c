/*
 * registry_id: the names of the schema registry's resources. See registry_id.h.
 */
#include "responder/registry_id.h"

#include <string.h>

#include "core/ident.h"

const char *registry_tenant(struct call *c)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    const char *org = c->scope.ims_org_id;
    char *tenant = arena_copy(c->arena, org, strcspn(org, "@"));
    for (char *at = tenant; at != NULL && *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
        else if (strchr(PLAIN, *at) == NULL)
            *at = '_';
    }
    return tenant;
}

const char *registry_schema_id(struct call *c, const char *number)
{
    const char *tenant = registry_tenant(c);
    return tenant == NULL ? NULL : arena_printf(c->arena, "https://ns.adobe.com/%s/schemas/%s", tenant, number);
}

const char *registry_alt_id(struct call *c, const char *number)
{
    const char *tenant = registry_tenant(c);
    return tenant == NULL ? NULL : arena_printf(c->arena, "_%s.schemas.%s", tenant, number);
}

const char *registry_read_id(struct call *c, const char *text)
{
    if (ident_is_hex(text, REGISTRY_DIGITS))
        return text;
    size_t length = strlen(text);
    if (length <= REGISTRY_DIGITS || !ident_is_hex(text + length - REGISTRY_DIGITS, REGISTRY_DIGITS))
        return NULL;
    const char *number = text + length - REGISTRY_DIGITS;
    const char *id = registry_schema_id(c, number), *alt = registry_alt_id(c, number);
    bool own = id != NULL && alt != NULL && (strcmp(text, id) == 0 || strcmp(text, alt) == 0);
    return own ? number : NULL;
}

void registry_add_tenant(struct call *c, struct json_object *object)
{
    const char *sandbox = c->scope.sandbox_name, *tenant = registry_tenant(c);
    jsonio_add_text(object, "imsOrg", c->scope.ims_org_id);
    jsonio_add_text(object, "meta:containerId", "tenant");
    jsonio_add_text(object, "meta:tenantNamespace", tenant == NULL ? NULL : arena_printf(c->arena, "_%s", tenant));
    jsonio_add_text(object, "meta:sandboxId", sandbox);
    jsonio_add_text(object, "meta:sandboxType", call_sandbox_type(sandbox));
}
