/* The constant matrices of Winograd convolution, from their interpolation points. */
#ifndef LCL_WINOGRAD_H
#define LCL_WINOGRAD_H

#define LCL_WINOGRAD_MAX 8 /* points along an axis */

typedef struct {
    double at[LCL_WINOGRAD_MAX][LCL_WINOGRAD_MAX];
} lcl_winograd_matrix;

/* F(tile, kernel): `tile` outputs from tile + kernel - 1 = n inputs, n even, by n
 * products. Rows are points 0, a, -a, b, -b, ..., infinity: y = A^T [(G w) * (B^T x)], bt
 * is n x n, at is n x tile (A), gt is n x kernel (G). */
typedef struct {
    int tile, kernel, n;
    lcl_winograd_matrix bt, at, gt;
} lcl_winograd;

void lcl_winograd_make(lcl_winograd *w, int tile, int kernel);

/* One of the matrices as an OpenCL C initialiser without spaces, "{{1.0f,0.0f},...}" of n
 * rows and `columns` columns; free() it. */
char *lcl_winograd_text(const lcl_winograd_matrix *matrix, int n, int columns);

#endif
