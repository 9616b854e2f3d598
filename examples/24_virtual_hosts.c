/* Virtual hosts: several sites in one program, old addresses, and the folders of users. */
#include <torc/torc.h>

static torc_render shop(torc_request *request) {
    return torc_reply_text(request, 200, "The shop.\n");
}

static torc_render article(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_str(json, "article", torc_request_param(request, "id"));
    torc_json_close_object(json);
    return torc_reply_end(request);
}

/* *.example.com: a site for each customer. */
static torc_render customer(torc_request *request) {
    torc_str host = torc_request_hostname(request), name;

    (void)torc_str_split(&host, '.', &name);
    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    torc_request_write(request, TORC_STR("The page of "));
    torc_request_write(request, name);
    torc_request_write(request, TORC_STR(".\n"));
    return torc_reply_end(request);
}

static torc_render nobody(torc_request *request) {
    return torc_reply_status(request, 421, "This server has no such host.");
}

static torc_resource *new_shop(void) {
    torc_resource *site = torc_folder_new();

    torc_resource_route(site, "GET /", shop);
    torc_resource_route(site, "GET /articles/{id}", article);
    torc_resource_rewrite(site, "/item-{id}.html$", "/articles/{id}");
    torc_resource_rewrite_redirect(site, 308, "/catalogue", "/articles");
    return site;
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("virtual_hosts");
    torc_resource *root = torc_app_root(app);

    torc_resource_put_host(root, "shop.example.com", new_shop());
    torc_resource_put_host(root, "*.example.com", torc_render_new(customer, 0, true));

    /* All other hosts: /~joe/ is public_html in the home of joe, and nothing else is there. */
    torc_resource_put_child(root, "users", torc_user_folders_new(NULL));
    torc_resource_rewrite(root, "/~{user}", "/users/{user}");
    torc_app_route(app, "* /{path...}", nobody);
    return torc_app_run(app, argc, argv);
}
