/* Profiling: which events there are, their times, the table and the trace. */
#include "profile_state.h"

#include <math.h>
#include <unistd.h>

#include "commands/profile_report.h"
#include "net_text.h"
#include "text.h"

#define N_PASSES 3

static const char text[] =
    "layer { name: \"in\" type: \"Input\" top: \"x\" top: \"y\" input_param {"
    "  shape { dim: 20 dim: 2 dim: 6 dim: 6 } shape { dim: 20 } } }"
    "layer { name: \"conv \\\"1\\\"\" type: \"Convolution\" bottom: \"x\" top: \"c\""
    "  convolution_param { num_output: 4 kernel_size: 3"
    "  weight_filler { type: \"xavier\" } } }"
    "layer { name: \"ip\" type: \"InnerProduct\" bottom: \"c\" top: \"p\""
    "  inner_product_param { num_output: 5 weight_filler { type: \"xavier\" } } }"
    "layer { name: \"loss\" type: \"SoftmaxWithLoss\" bottom: \"p\" bottom: \"y\""
    "  top: \"loss\" }";

static lcl_net *net;

static void run_passes(void)
{
    lcl_error err;

    for (int i = 0; i < N_PASSES; i++) {
        CHECK_OK(lcl_net_forward(net, &err));
        CHECK_OK(lcl_net_backward(net, &err));
    }
}

static size_t read_events(const lcl_profile_event **events)
{
    size_t n, n_lost;
    lcl_error err;

    CHECK_OK(lcl_profile_read(testing_device(), events, &n, &n_lost, &err));
    ck_assert_uint_eq(n_lost, 0);
    return n;
}

static size_t count(const char *layer, const char *pass)
{
    const lcl_profile_event *events;
    size_t n = read_events(&events), found = 0;

    for (size_t i = 0; i < n; i++)
        found += strcmp(events[i].layer, layer) == 0 && strcmp(events[i].pass, pass) == 0;
    return found;
}

/* Runs first: the device of these tests profiles from the next one on. */
START_TEST(test_nothing_is_recorded_at_first)
{
    const lcl_profile_event *events;
    run_passes();
    ck_assert_ptr_null(lcl_profile_slot(testing_device(), "x"));
    ck_assert_uint_eq(read_events(&events), 0);
    ck_assert_ptr_null(events);
}
END_TEST

START_TEST(test_every_layer_has_events)
{
    lcl_error err;

    CHECK_OK(lcl_profile_start(testing_device(), &err));
    CHECK_OK(lcl_profile_start(testing_device(), &err)); /* changes nothing */
    run_passes();
    ck_assert_uint_ge(count("conv \"1\"", "forward"), N_PASSES);
    ck_assert_uint_ge(count("conv \"1\"", "backward"), N_PASSES);
    ck_assert_uint_ge(count("ip", "forward"), N_PASSES);
    ck_assert_uint_ge(count("ip", "backward"), N_PASSES);
    ck_assert_uint_ge(count("loss", "forward"), N_PASSES);
    ck_assert_uint_ge(count("loss", "backward"), N_PASSES);
    ck_assert_uint_eq(count("ip", "test"), 0);
}
END_TEST

START_TEST(test_times_are_in_order)
{
    const lcl_profile_event *events;
    const size_t n = read_events(&events);
    double sum = 0;

    ck_assert_uint_gt(n, 0);
    for (size_t i = 0; i < n; i++) {
        ck_assert(events[i].end >= events[i].start && events[i].start > 0);
        ck_assert(i == 0 || events[i].start >= events[i - 1].start);
        ck_assert(i == 0 || events[i].run >= events[i - 1].run);
        sum += (double)(events[i].end - events[i].start);
    }
    /* One queue in order: nothing overlaps. */
    ck_assert(sum <= 1.001 * (double)(events[n - 1].end - events[0].start));
}
END_TEST

static char *print(void)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    lcl_error err;

    CHECK_OK(lcl_profile_print(stream, testing_device(), &net, 1, &err));
    fclose(stream);
    return out;
}

/* The first number behind `name` in the table. */
static double number_after(const char *table, const char *name)
{
    const char *at = strstr(table, name);
    double value = -1;

    ck_assert_msg(at != NULL, "no '%s' in\n%s", name, table);
    ck_assert_int_eq(sscanf(at + strlen(name), "%lf", &value), 1);
    return value;
}

START_TEST(test_table)
{
    char *table = print();
    double share = 0;

    ck_assert(number_after(table, "\nconv \"1\" forward") == N_PASSES);
    ck_assert(number_after(table, "\nip backward") == N_PASSES);
    ck_assert_ptr_nonnull(strstr(table, "\n    softmax_with_loss_forward "));
    for (char *line = table; (line = strchr(line, '\n')) != NULL; line++) {
        double calls, us, part;
        if (line[1] == ' ' || !strstr(line, "%") ||
            sscanf(line + 37, "%lf %lf %lf%%", &calls, &us, &part) != 3)
            continue;
        share += part;
    }
    ck_assert_msg(fabs(share - 100) < 1, "shares add up to %g in\n%s", share, table);
    ck_assert(number_after(table, "at most ") > 0);
    free(table);
}
END_TEST

/* Known: 2 x 20 images x 4 x 4 x 4 outputs x 18 weights, and as much per gradient. */
START_TEST(test_operations)
{
    const lcl_layer *conv = lcl_net_layer(net, 1), *ip = lcl_net_layer(net, 2);

    ck_assert(conv->type->flops(conv) == 2.0 * 20 * 64 * 18);
    ck_assert(ip->type->flops(ip) == 2.0 * 20 * 5 * 64);
}
END_TEST

/* The character behind a JSON value, or NULL where there is none. */
static const char *skip_json(const char *p);

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \n\t\r");
}

static const char *skip_string(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if ((unsigned char)*p < 0x20 || (*p == '\\' && !*++p))
            return NULL;
    return *p ? p + 1 : NULL;
}

/* A list or an object. */
static const char *skip_members(const char *p)
{
    const bool object = *p == '{';
    const char end = object ? '}' : ']';

    for (p = skip_space(p + 1); *p != end; p = skip_space(p + 1)) {
        if (object) {
            if (*p != '"' || !(p = skip_string(p)) || *(p = skip_space(p)) != ':')
                return NULL;
            p++;
        }
        if (!(p = skip_json(p)))
            return NULL;
        p = skip_space(p);
        if (*p == end)
            break;
        if (*p != ',')
            return NULL;
    }
    return p + 1;
}

static const char *skip_json(const char *p)
{
    char *end;

    p = skip_space(p);
    if (*p == '{' || *p == '[')
        return skip_members(p);
    if (*p == '"')
        return skip_string(p);
    strtod(p, &end);
    return end > p ? end : NULL;
}

static size_t occurrences(const char *all, const char *part)
{
    size_t n = 0;

    for (const char *p = all; (p = strstr(p, part)) != NULL; p++)
        n++;
    return n;
}

START_TEST(test_trace)
{
    char path[] = "/tmp/lcl-test-trace-XXXXXX", *json = NULL;
    const int fd = mkstemp(path);
    const lcl_profile_event *events;
    lcl_error err;

    ck_assert_int_ge(fd, 0);
    close(fd);
    CHECK_OK(lcl_profile_write(path, testing_device(), &err));
    CHECK_OK(lcl_file_read(&json, NULL, path, 0, &err));
    const char *end = skip_json(json);
    ck_assert_msg(end != NULL && *skip_space(end) == '\0', "no JSON: %.300s", json);
    const size_t n = read_events(&events);
    ck_assert_uint_eq(occurrences(json, "\"ph\": \"X\""),
                      n + occurrences(json, " forward\", \"ph\"") +
                          occurrences(json, " backward\", \"ph\""));
    ck_assert_ptr_nonnull(strstr(json, "{\"layer\": \"conv \\\"1\\\"\"}"));
    ck_assert_ptr_nonnull(strstr(json, "\"ts\": 0.000"));
    unlink(path);
    free(json);
}
END_TEST

START_TEST(test_trace_that_cannot_be_written)
{
    lcl_error err;

    CHECK_FAILS(lcl_profile_write("/no/such/folder/trace.json", testing_device(), &err),
                LCL_EIO, "");
}
END_TEST

/* More than are held at a time. */
START_TEST(test_many_events)
{
    lcl_device *dev = testing_device();
    const lcl_profile_event *events;
    const size_t before = read_events(&events);
    cl_mem x = NULL;
    lcl_error err;

    lcl_profile_label(dev, "many", "fills");
    CHECK_OK(lcl_buffer_create(&x, dev, 64, "x", &err));
    for (int i = 0; i < 10000; i++)
        CHECK_OK(lcl_buffer_fill(dev, x, 0, 64, 1, &err));
    ck_assert_uint_eq(read_events(&events), before + 10001);
    for (size_t i = before; i < before + 10001; i++) {
        ck_assert_str_eq(events[i].what, "fill");
        ck_assert(events[i].start > 0 && events[i].end >= events[i].start);
    }
    lcl_buffer_release(&x);
}
END_TEST

static void create_net(void)
{
    lcl_proto *source = parse_net(text);
    const lcl_net_options options = {.seed = 1};
    lcl_error err;

    CHECK_OK(lcl_net_create(&net, testing_device(), source, &options, &err));
    lcl_proto_destroy(source);
}

static void destroy_net(void)
{
    lcl_net_destroy(net);
}

int main(void)
{
    Suite *suite = suite_create("profile");
    TCase *t = tcase_create("profile");

    tcase_add_unchecked_fixture(t, create_net, destroy_net);
    tcase_add_test(t, test_nothing_is_recorded_at_first);
    tcase_add_test(t, test_every_layer_has_events);
    tcase_add_test(t, test_times_are_in_order);
    tcase_add_test(t, test_table);
    tcase_add_test(t, test_operations);
    tcase_add_test(t, test_trace);
    tcase_add_test(t, test_trace_that_cannot_be_written);
    tcase_add_test(t, test_many_events);
    suite_add_tcase(suite, t);
    return testing_run(suite);
}
