/* Tests of Tile beyond the golden cases: gradients, bad options. */
#include "testing.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Tile' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'x' top: 'y' tile_param { tiles: 3 }",
         .bottoms = {{3, 2, 5}}},
        {.layer = LAYER "bottom: 'x' top: 'y' tile_param { axis: 0 tiles: 2 }",
         .bottoms = {{3, 4}}},
        {.layer = LAYER "bottom: 'x' top: 'y' tile_param { axis: -1 tiles: 4 }",
         .bottoms = {{17, 2, 3}}},
        {.layer = LAYER "bottom: 'x' top: 'y' tile_param { axis: 2 tiles: 1 }",
         .bottoms = {{1, 2, 3}}},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses(LAYER "bottom: 'x'\ntop: 'y'", shape0, LCL_EPROTO, "layer",
                          "tiles, how often");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' tile_param {\ntiles: 0 }", shape1,
                          LCL_EPROTO, "layer:2:1", "must be at least 1");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' tile_param { tiles: 2\naxis: 2 }",
                          shape2, LCL_ESHAPE, "layer:2:1", "axis 2 does not exist");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tile");
    TCase *cases = tcase_create("tile");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
