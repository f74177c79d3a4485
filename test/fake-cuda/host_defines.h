/* In place of the compiler's own header, which the runtime's package does not have. */
#define __CUDARTAPI
#define CUDARTAPI
#define CUDARTAPI_CDECL
#define CUDART_DEVICE
#define __host__
#define __device__
#define __device_builtin__
#define __cudart_builtin__
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __align__(n)
#define __forceinline__ inline
#define __specialization_static
#define __noreturn__
#define __CRTDECL
#define __CUDA_ARCH_HAS_FEATURE__(x) 0
#define __dv(v)
