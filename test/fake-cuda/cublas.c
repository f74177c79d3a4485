/* cuBLAS without a device: products are not made. */
#include <stdlib.h>

int cublasCreate_v2(void **handle) { return (*handle = calloc(1, 64)) ? 0 : 3; }
int cublasGetMathMode(void *handle, int *mode) { *mode = 0; return 0; }
const char *cublasGetStatusName(int status) { return "status of the stand-in"; }
const char *cublasGetStatusString(int status) { return "status of the stand-in"; }
