/* Winograd's matrices by the construction of Toom and Cook: multiply polynomials by their
 * values at n - 1 points and at infinity, then transpose that to get a correlation. */
#include "layers/winograd.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "text.h"

/* Finite points in the order of the rows; small ones keep rounding errors small. */
static const double points[] = {0, 1, -1, 2, -2, 0.5, -0.5};

/* Coefficients of the product of (x - points[k]) over k < n, k != skip; lowest first. */
static void product(double *coefficients, int n, int skip)
{
    int degree = 0;

    memset(coefficients, 0, LCL_WINOGRAD_MAX * sizeof *coefficients);
    coefficients[0] = 1;
    for (int k = 0; k < n; k++) {
        if (k == skip)
            continue;
        degree++;
        for (int i = degree; i >= 0; i--)
            coefficients[i] =
                (i > 0 ? coefficients[i - 1] : 0) - points[k] * coefficients[i];
    }
}

void lcl_winograd_make(lcl_winograd *w, int tile, int kernel)
{
    const int n = tile + kernel - 1, finite = n - 1;

    assert(n % 2 == 0 && n <= LCL_WINOGRAD_MAX && finite <= (int)LCL_COUNT(points));
    *w = (lcl_winograd){.tile = tile, .kernel = kernel, .n = n};
    for (int j = 0; j < finite; j++) {
        double scale = 1;
        product(w->bt.at[j], finite, j);
        for (int k = 0; k < finite; k++)
            if (k != j)
                scale *= points[j] - points[k];
        for (int i = 0; i < tile; i++)
            w->at.at[j][i] = pow(points[j], i);
        for (int i = 0; i < kernel; i++)
            w->gt.at[j][i] = pow(points[j], i) / scale;
    }
    product(w->bt.at[finite], finite, -1);
    w->at.at[finite][tile - 1] = 1;
    w->gt.at[finite][kernel - 1] = 1;
}

char *lcl_winograd_text(const lcl_winograd_matrix *matrix, int n, int columns)
{
    lcl_text t = {0};

    for (int i = 0; i < n; i++) {
        lcl_text_add(&t, i == 0 ? "{" : ",");
        for (int j = 0; j < columns; j++)
            lcl_text_printf(&t, "%s%.9ef", j == 0 ? "{" : ",", matrix->at[i][j]);
        lcl_text_add(&t, "}");
    }
    lcl_text_add(&t, "}");
    return t.text;
}
