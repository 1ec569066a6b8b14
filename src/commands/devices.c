/* lenet-cl devices: lists the OpenCL devices and tells which one would be taken, and why.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/args.h"
#include "device_list.h"
#include "text.h"

#define GIGABYTE (1024.0 * 1024.0 * 1024.0)

/* The devices, and which of them is taken. */
typedef struct {
    lcl_device_info *list;
    size_t n, chosen;
    char reason[160];
    lcl_status choice; /* LCL_OK, or why none is chosen */
} devices_found;

static void devices_print_one(const lcl_device_info *d, bool chosen)
{
    /* Some versions go on with how the driver was built, after two spaces. */
    const char *build = strstr(d->platform_version, "  ");
    int length = build ? (int)(build - d->platform_version) : INT_MAX;

    printf("%c %-2d %d:%-2d %-11s %5u units %5u MHz %7.1f GB  %s\n", chosen ? '*' : ' ',
           d->index, d->platform, d->device, lcl_device_kind(d), d->compute_units,
           d->clock_mhz, (double)d->global_memory / GIGABYTE, d->name);
    printf("       platform: %s, %.*s\n", d->platform_name, length, d->platform_version);
    printf("       device:   %s, driver %s, by %s\n", d->version, d->driver, d->vendor);
    printf("       memory:   largest allocation %.1f GB, local %.0f kB%s\n",
           (double)d->largest_allocation / GIGABYTE, (double)d->local_memory / 1024.0,
           d->unified_memory ? ", shared with the host" : "");
    if (d->uuid[0])
        printf("       uuid:     %s\n", d->uuid);
    if (!d->usable)
        printf("       cannot be used: %s\n", d->why_not);
}

static void devices_print(const devices_found *found)
{
    for (size_t i = 0; i < found->n; i++)
        devices_print_one(&found->list[i], found->choice == LCL_OK && i == found->chosen);
    if (found->choice == LCL_OK)
        printf("\n* is taken: %s.\n", found->reason);
    printf("Choose with --device NUMBER (first column), or --platform P --device D "
           "(second column P:D),\nor part of a name, or cpu, gpu or a uuid; "
           "LCL_PLATFORM and LCL_DEVICE do the same.\n");
}

static void devices_json_text(const char *key, const char *text)
{
    printf("\"%s\": \"", key);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            printf("\\%c", *c);
        else if (*c < 0x20)
            printf("\\u%04x", *c);
        else
            putchar(*c);
    }
    fputs("\", ", stdout);
}

static const char *devices_truth(bool value)
{
    return value ? "true" : "false";
}

static void devices_json_one(const lcl_device_info *d, bool chosen, const char *reason)
{
    printf("  {\"index\": %d, \"platform\": %d, \"device\": %d, ", d->index, d->platform,
           d->device);
    devices_json_text("name", d->name);
    devices_json_text("kind", lcl_device_kind(d));
    devices_json_text("vendor", d->vendor);
    devices_json_text("version", d->version);
    devices_json_text("driver", d->driver);
    devices_json_text("platform_name", d->platform_name);
    devices_json_text("platform_version", d->platform_version);
    devices_json_text("uuid", d->uuid);
    devices_json_text("why_not", d->why_not);
    devices_json_text("reason", chosen ? reason : "");
    printf("\"compute_units\": %u, \"clock_mhz\": %u, \"global_memory\": %llu, "
           "\"largest_allocation\": %llu, \"local_memory\": %llu, "
           "\"unified_memory\": %s, \"usable\": %s, \"chosen\": %s}",
           d->compute_units, d->clock_mhz, (unsigned long long)d->global_memory,
           (unsigned long long)d->largest_allocation, (unsigned long long)d->local_memory,
           devices_truth(d->unified_memory), devices_truth(d->usable),
           devices_truth(chosen));
}

static void devices_print_json(const devices_found *found)
{
    puts("[");
    for (size_t i = 0; i < found->n; i++) {
        devices_json_one(&found->list[i], found->choice == LCL_OK && i == found->chosen,
                         found->reason);
        puts(i + 1 < found->n ? "," : "");
    }
    puts("]");
}

static int devices_run(const lcl_args *args, lcl_error *err)
{
    devices_found found = {0};
    lcl_device_choice choice;
    lcl_status status = lcl_args_device_choice(args, NULL, LCL_PREFER_ANY, &choice, err);

    if (status == LCL_OK)
        status = lcl_device_list(&found.list, &found.n, err);
    if (status == LCL_OK) {
        found.choice = lcl_device_choose(found.list, found.n, &choice, &found.chosen,
                                         found.reason, sizeof found.reason, err);
        if (lcl_args_switch(args, "json"))
            devices_print_json(&found);
        else
            devices_print(&found);
        status = found.choice;
    }
    free(found.list);
    return lcl_exit_code(status);
}

static const lcl_option devices_options[] = {
    LCL_DEVICE_OPTIONS,
    {"json", NULL, NULL, "print a JSON array instead of a table"},
};

const lcl_command lcl_command_devices = {
    .name = "devices",
    .operands = "",
    .summary = "lists the OpenCL devices and tells which one is taken",
    .help =
        "Lists every OpenCL device with the numbers that --platform and --device take,\n"
        "and marks the one that the other commands would take with the same flags.\n"
        "Exits with 4 where no device can be used.\n"
        "Example: lenet-cl devices --device gpu",
    .options = devices_options,
    .n_options = LCL_COUNT(devices_options),
    .run = devices_run,
};
