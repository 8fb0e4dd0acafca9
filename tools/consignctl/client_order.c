/*
 * client_order: the request of an export job (contract.md section 5). See client_order.h.
 */
#include "consignctl/client_order.h"

#define ORDER_SCHEMA "_xdm.context.profile"

/* The object that is this member; made when there is none. NULL: something else is there. */
static struct json_object *order_inside(struct json_object *object, const char *name)
{
    struct json_object *inside = jsonio_member(object, name, NULL);
    if (inside == NULL) {
        inside = json_object_new_object();
        json_object_object_add(object, name, inside);
    }
    return json_object_is_type(inside, json_type_object) ? inside : NULL;
}

static bool order_destination(struct json_object *request, const struct client_order *order)
{
    struct json_object *destination = order_inside(request, "destination");
    if (destination == NULL)
        return false;
    if (order->dataset != NULL) {
        json_object_object_del(destination, "dataSetId");
        jsonio_add_text(destination, "datasetId", order->dataset);
    }
    if (order->per_segment)
        json_object_object_add(destination, "segmentPerBatch", json_object_new_boolean(1));
    return true;
}

static bool order_filter(struct json_object *request, const struct client_order *order)
{
    struct json_object *filter = order_inside(request, "filter"), *list;
    if (filter == NULL)
        return false;
    if (order->segments > 0) {
        list = json_object_new_array();
        for (int i = 0; i < order->segments; i++) {
            struct json_object *segment = json_object_new_object();
            jsonio_add_text(segment, "segmentId", order->segment[i]);
            json_object_array_add(list, segment);
        }
        json_object_object_add(filter, "segments", list);
    }
    jsonio_add_text(filter, "fromIngestTimestamp", order->from);
    return true;
}

bool client_order_fill(struct json_object *request, const struct client_order *order)
{
    bool good = true;
    struct json_object *inside;
    if (order->dataset != NULL || order->per_segment)
        good = order_destination(request, order);
    if (good && (order->segments > 0 || order->from != NULL))
        good = order_filter(request, order);
    if (good && order->merge_policy != NULL) {
        inside = order_inside(request, "mergePolicy");
        good = inside != NULL;
        if (good)
            jsonio_add_text(inside, "id", order->merge_policy);
    }
    if (good && order->events) {
        inside = order_inside(request, "additionalFields");
        good = inside != NULL && order_inside(inside, "eventList") != NULL;
    }
    jsonio_add_text(request, "fields", order->fields);
    if (jsonio_member(request, "schema", NULL) == NULL) {
        struct json_object *schema = json_object_new_object();
        jsonio_add_text(schema, "name", ORDER_SCHEMA);
        json_object_object_add(request, "schema", schema);
    }
    return good;
}
