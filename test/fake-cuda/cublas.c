/* cuBLAS without a device: products are not made, but counted by what multiplies them. */
#include <stdlib.h>

/* CUBLAS_TF32_TENSOR_OP_MATH, CUDA_R_32F */
#define TF32 3
#define FLOAT32 0

/* Floating-point operations of products so far: outside of tensor cores and on them. */
static struct {
  unsigned long long plain;
  unsigned long long on_tensor_cores;
} counted;

static int math_mode;

void fakeCublasOperations(void *out) { __builtin_memcpy(out, &counted, sizeof counted); }

static int count(int type, long long m, long long n, long long k, long long products) {
  unsigned long long operations = 2 * m * n * k * products;
  if (type != FLOAT32 || math_mode == TF32) counted.on_tensor_cores += operations;
  else counted.plain += operations;
  return 0;
}

int cublasCreate_v2(void **handle) { return (*handle = calloc(1, 64)) ? 0 : 3; }
int cublasGetMathMode(void *handle, int *mode) { *mode = math_mode; return 0; }
int cublasSetMathMode(void *handle, int mode) { math_mode = mode; return 0; }
const char *cublasGetStatusName(int status) { return "status of the stand-in"; }
const char *cublasGetStatusString(int status) { return "status of the stand-in"; }

int cublasSgemm_v2(void *handle, int opA, int opB, int m, int n, int k) { return count(FLOAT32, m, n, k, 1); }
int cublasGemmEx(void *handle, int opA, int opB, int m, int n, int k, const void *alpha, const void *a, int type) { return count(type, m, n, k, 1); }
int cublasSgemmStridedBatched(void *handle, int opA, int opB, int m, int n, int k, const void *alpha, const void *a, int lda, long long strideA, const void *b, int ldb, long long strideB, const void *beta, void *c, int ldc, long long strideC, int products) { return count(FLOAT32, m, n, k, products); }
int cublasSgemmBatched(void *handle, int opA, int opB, int m, int n, int k, const void *alpha, const void *a, int lda, const void *b, int ldb, const void *beta, void *c, int ldc, int products) { return count(FLOAT32, m, n, k, products); }
int cublasGemmStridedBatchedEx(void *handle, int opA, int opB, int m, int n, int k, const void *alpha, const void *a, int typeA, int lda, long long strideA, const void *b, int typeB, int ldb, long long strideB, const void *beta, void *c, int typeC, int ldc, long long strideC, int products) { return count(typeA, m, n, k, products); }
