/* A JSON API: what is posted goes into a struct by a table, and out of it again. */
#include <torc/torc.h>

/* ---- what an order is, in C and in JSON ---- */

typedef enum size {
    SIZE_SMALL,
    SIZE_LARGE
} size;

static const char *const size_names[] = {"small", "large"};

typedef struct item {
    torc_str product;
    size how_large;
    uint16_t count;
    double price;
} item;

static const item item_defaults = {.count = 1};
static const torc_json_field item_fields[] = {
    TORC_JSON_FIELD_STR(item, product, .min = 1, .max = 40),
    TORC_JSON_FIELD_ENUM(item, how_large, size_names, .name = "size", .optional = true),
    TORC_JSON_FIELD_INT(item, count, .optional = true, .min = 1, .max = 100),
    TORC_JSON_FIELD_DOUBLE(item, price, .low = 0, .high = 10000),
};
static const torc_json_struct item_json =
    TORC_JSON_STRUCT(item, item_fields, .defaults = &item_defaults);

typedef struct order {
    torc_str customer;
    torc_str note; /* NULL: there is none */
    item *items;
    size_t item_count;
    double total; /* told, not asked for */
} order;

static const torc_json_field order_fields[] = {
    TORC_JSON_FIELD_STR(order, customer, .min = 1, .max = 80),
    TORC_JSON_FIELD_STR(order, note, .optional = true, .nullable = true),
    TORC_JSON_FIELD_ARRAY(order, items, item_count, TORC_JSON_ITEM_STRUCT(item, &item_json),
                          .min = 1, .max = 20),
    TORC_JSON_FIELD_DOUBLE(order, total, .optional = true),
};
static const torc_json_struct order_json = TORC_JSON_STRUCT(order, order_fields);

/* ---- routes ---- */

static torc_render take_order(torc_request *request) {
    order taken;

    /* 415, 413, 400 and 422 have been answered. */
    if (torc_request_json_struct(request, &order_json, &taken)) return TORC_RENDER_DONE;

    taken.total = 0;
    for (size_t i = 0; i < taken.item_count; i++)
        taken.total += taken.items[i].count * taken.items[i].price;
    torc_json_write_struct(torc_reply_json(request, 201), &order_json, &taken);
    return torc_reply_end(request);
}

/* What no struct is made for is looked at as values. */
static torc_render count_members(torc_request *request) {
    const torc_json_value *value;

    if (torc_request_json(request, &value)) return TORC_RENDER_DONE;
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_text(json, "kind", torc_json_kind_text(torc_json_kind_of(value)));
    torc_json_member_uint(json, "count", torc_json_count(value));
    torc_json_key(json, "first");
    torc_json_write_value(json, torc_json_find_pointer(value, TORC_STR("/0")));
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static torc_render show_schema(torc_request *request) {
    torc_json_write_schema(torc_reply_json(request, 200), &order_json, NULL);
    return torc_reply_end(request);
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("orders");

    torc_app_route(app, "POST /orders", take_order);
    torc_app_route(app, "POST /count", count_members);
    torc_app_route(app, "GET /orders/schema", show_schema);
    return torc_app_run(app, argc, argv);
}
