/* cuBLASLt without a device: descriptions are taken, products are not made. */
#include <stdlib.h>

#define HANDLE(out) return (*(out) = calloc(1, 256)) ? 0 : 3

int cublasLtCreate(void **handle) { HANDLE(handle); }
int cublasLtMatmulDescCreate(void **description, int compute, int scale) { HANDLE(description); }
int cublasLtMatrixLayoutCreate(void **layout, int type, unsigned long rows, unsigned long columns, long lead) { HANDLE(layout); }
int cublasLtMatmulPreferenceCreate(void **preference) { HANDLE(preference); }
int cublasLtMatrixTransformDescCreate(void **description, int type) { HANDLE(description); }
int cublasLtMatmulAlgoGetHeuristic(void *handle, void *operation, void *a, void *b, void *c, void *d, void *preference, int wanted, void *results, int *found) { *found = 1; return 0; }
