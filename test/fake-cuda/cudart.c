/*
 * The CUDA runtime without a device: device memory is the host's, kernels do nothing, and what goes over the
 * bus is counted. What is computed with it means nothing; where nodes are placed, how much memory is taken and
 * what is copied are decided by ONNX Runtime's own CUDA provider above it.
 *
 * FAKE_CUDA_GIB    memory of each device, 80 unless given
 * FAKE_CUDA_ERROR  number of the error (cudaError_t) that every use of a device ends with
 * FAKE_CUDA_GRAPHS 0 for a device that captures no graphs; or the number of another error that a capture ends with
 * FAKE_CUDA_SKIP   uploads of more than so many bytes are counted but not made, so that large models fit
 */
#define _GNU_SOURCE
#include <cuda_runtime_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* As test/fake-cuda/counters.ts reads it. */
struct counters {
  unsigned long long in_use, peak, bytes_up, bytes_down, copies_up, copies_down, bytes_within, launches,
      graph_launches, graph_nodes, copies_within;
};

static struct counters counted;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define MAX_BLOCKS 65536
#define PAGE 4096

static struct block {
  char *start;
  size_t size;
} blocks[MAX_BLOCKS];

/* Slots that were ever used. */
static int num_blocks;

void fakeCudaCounters(struct counters *out) {
  pthread_mutex_lock(&lock);
  *out = counted;
  pthread_mutex_unlock(&lock);
}

/* The peak is counted anew from here. */
void fakeCudaResetPeak(void) {
  pthread_mutex_lock(&lock);
  counted.peak = counted.in_use;
  pthread_mutex_unlock(&lock);
}

/*
 * A graph is the launches and copies between a stream's begin and end of capture. As on a device, nothing of
 * them is done then, a replay does all of them at the same addresses, and meanwhile what waits for the device,
 * or asks it for memory, fails and spoils the capture.
 */
struct graph {
  struct copied {
    void *to;
    const void *from;
    size_t size;
  } *copies;
  size_t num_copies;
  unsigned long long launches;
};

static struct graph *captured;
static cudaStream_t capturing;
static int is_spoiled;

/* Whether a call is refused, since it must not be made while a stream is captured. */
static int unsafe(void) {
  if (capturing) is_spoiled = 1;
  return capturing != NULL;
}

static size_t capacity(void) {
  const char *gib = getenv("FAKE_CUDA_GIB");
  return (size_t)((gib ? atof(gib) : 80.0) * (1 << 30));
}

static struct block *block_of(const void *address) {
  for (int i = 0; i < num_blocks; i++) {
    const char *start = blocks[i].start;
    if (start && (const char *)address >= start && (const char *)address < start + blocks[i].size)
      return &blocks[i];
  }
  return NULL;
}

static cudaError_t take(void **out, size_t size) {
  if (unsafe()) return cudaErrorStreamCaptureUnsupported;
  size_t rounded = size ? (size + PAGE - 1) / PAGE * PAGE : PAGE;
  cudaError_t result = cudaErrorMemoryAllocation;
  pthread_mutex_lock(&lock);
  int free_slot = 0;
  while (free_slot < MAX_BLOCKS && blocks[free_slot].start) free_slot++;
  if (free_slot < MAX_BLOCKS && counted.in_use + rounded <= capacity()) {
    void *start = mmap(NULL, rounded, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start != MAP_FAILED) {
      if (free_slot == num_blocks) num_blocks++;
      blocks[free_slot] = (struct block){start, rounded};
      counted.in_use += rounded;
      if (counted.in_use > counted.peak) counted.peak = counted.in_use;
      *out = start;
      result = cudaSuccess;
    }
  }
  pthread_mutex_unlock(&lock);
  return result;
}

static cudaError_t give_back(void *address) {
  pthread_mutex_lock(&lock);
  struct block *block = address ? block_of(address) : NULL;
  if (block) {
    munmap(block->start, block->size);
    counted.in_use -= block->size;
    block->start = NULL;
  }
  pthread_mutex_unlock(&lock);
  return cudaSuccess;
}

static cudaError_t copy(void *to, const void *from, size_t size) {
  pthread_mutex_lock(&lock);
  int goes_up = block_of(to) != NULL, comes_down = block_of(from) != NULL;
  if (goes_up && comes_down) {
    counted.bytes_within += size;
    counted.copies_within++;
  } else if (goes_up) {
    counted.bytes_up += size;
    counted.copies_up++;
  } else if (comes_down) {
    counted.bytes_down += size;
    counted.copies_down++;
  }
  pthread_mutex_unlock(&lock);
  const char *skip = getenv("FAKE_CUDA_SKIP");
  if (skip && goes_up && !comes_down && size > strtoull(skip, NULL, 10)) return cudaSuccess;
  memmove(to, from, size);
  return cudaSuccess;
}

static cudaError_t copy_in(cudaStream_t stream, void *to, const void *from, size_t size) {
  if (!capturing || stream != capturing) return copy(to, from, size);
  captured->copies = realloc(captured->copies, ++captured->num_copies * sizeof *captured->copies);
  captured->copies[captured->num_copies - 1] = (struct copied){to, from, size};
  return cudaSuccess;
}

static cudaError_t launch(cudaStream_t stream) {
  pthread_mutex_lock(&lock);
  if (capturing && stream == capturing) captured->launches++;
  else counted.launches++;
  pthread_mutex_unlock(&lock);
  return cudaSuccess;
}

/* Streams, events, graphs and pools are things that can be told apart and nothing more. */
#define HANDLE(out) return (*(out) = calloc(1, 64)) ? cudaSuccess : cudaErrorMemoryAllocation

/* Memory. */
cudaError_t cudaMalloc(void **p, size_t n) { return take(p, n); }
cudaError_t cudaMallocFromPoolAsync(void **p, size_t n, cudaMemPool_t m, cudaStream_t s) { return take(p, n); }
cudaError_t cudaFree(void *p) { return give_back(p); }
cudaError_t cudaFreeAsync(void *p, cudaStream_t s) { return give_back(p); }
cudaError_t cudaMallocHost(void **p, size_t n) { return (*p = malloc(n ? n : 1)) ? cudaSuccess : cudaErrorMemoryAllocation; }
cudaError_t cudaHostAlloc(void **p, size_t n, unsigned flags) { return cudaMallocHost(p, n); }
cudaError_t cudaFreeHost(void *p) { free(p); return cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t *left, size_t *total) {
  *total = capacity();
  *left = *total - counted.in_use;
  return cudaSuccess;
}
cudaError_t cudaMemPoolCreate(cudaMemPool_t *m, const struct cudaMemPoolProps *p) { HANDLE(m); }
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t m, enum cudaMemPoolAttr a, void *v) {
  *(unsigned long long *)v = 0;
  return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *a, const void *p) {
  memset(a, 0, sizeof *a);
  pthread_mutex_lock(&lock);
  a->type = block_of(p) ? cudaMemoryTypeDevice : cudaMemoryTypeHost;
  pthread_mutex_unlock(&lock);
  a->devicePointer = a->hostPointer = (void *)p;
  return cudaSuccess;
}

/* Copies. */
cudaError_t cudaMemcpy(void *d, const void *s, size_t n, enum cudaMemcpyKind k) {
  return unsafe() ? cudaErrorStreamCaptureImplicit : copy(d, s, n);
}
cudaError_t cudaMemcpyAsync(void *d, const void *s, size_t n, enum cudaMemcpyKind k, cudaStream_t t) { return copy_in(t, d, s, n); }
cudaError_t cudaMemcpy2DAsync(void *d, size_t dp, const void *s, size_t sp, size_t w, size_t h, enum cudaMemcpyKind k, cudaStream_t t) {
  for (size_t row = 0; row < h; row++) copy_in(t, (char *)d + row * dp, (const char *)s + row * sp, w);
  return cudaSuccess;
}
cudaError_t cudaMemcpyFromSymbol(void *d, const void *s, size_t n, size_t o, enum cudaMemcpyKind k) { memset(d, 0, n); return cudaSuccess; }
cudaError_t cudaMemset(void *p, int v, size_t n) { memset(p, v, n); return cudaSuccess; }
cudaError_t cudaMemsetAsync(void *p, int v, size_t n, cudaStream_t s) { return cudaMemset(p, v, n); }

/* The device: an H100 by its numbers. */
static __thread int current;
static cudaError_t wanted_error(void) {
  const char *error = getenv("FAKE_CUDA_ERROR");
  return error ? (cudaError_t)atoi(error) : cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int *n) { *n = 1; return wanted_error(); }
cudaError_t cudaGetDevice(int *d) { *d = current; return wanted_error(); }
cudaError_t cudaSetDevice(int d) { current = d; return d == 0 ? wanted_error() : cudaErrorInvalidDevice; }
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int d) {
  if (wanted_error()) return wanted_error();
  memset(p, 0, sizeof *p);
  strcpy(p->name, "No device");
  p->totalGlobalMem = capacity();
  p->major = 9;
  p->warpSize = 32;
  p->multiProcessorCount = 132;
  p->maxThreadsPerBlock = p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
  p->maxThreadsDim[2] = 64;
  p->maxGridSize[0] = 2147483647;
  p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->maxThreadsPerMultiProcessor = 2048;
  p->regsPerBlock = p->regsPerMultiprocessor = 65536;
  p->sharedMemPerBlock = 48 << 10;
  p->sharedMemPerBlockOptin = 227 << 10;
  p->sharedMemPerMultiprocessor = 228 << 10;
  p->l2CacheSize = 50 << 20;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int *v, enum cudaDeviceAttr a, int d) {
  struct cudaDeviceProp p;
  cudaGetDeviceProperties(&p, d);
  switch (a) {
    case cudaDevAttrComputeCapabilityMajor: *v = p.major; break;
    case cudaDevAttrComputeCapabilityMinor: *v = p.minor; break;
    case cudaDevAttrMultiProcessorCount: *v = p.multiProcessorCount; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *v = (int)p.sharedMemPerBlock; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *v = (int)p.sharedMemPerBlockOptin; break;
    case cudaDevAttrWarpSize: *v = p.warpSize; break;
    case cudaDevAttrClockRate: *v = 1980000; break;
    case cudaDevAttrMemoryClockRate: *v = 2619000; break;
    case cudaDevAttrGlobalMemoryBusWidth: *v = 5120; break;
    default: *v = 1;
  }
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int *v) { *v = CUDART_VERSION; return cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int *v) { *v = CUDART_VERSION; return cudaSuccess; }
const char *cudaGetErrorName(cudaError_t e) { return e == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : e ? "error" : "cudaSuccess"; }
/* The words of CUDA itself (driver_types.h has the meanings). */
const char *cudaGetErrorString(cudaError_t e) {
  switch (e) {
    case cudaSuccess: return "no error";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorDevicesUnavailable: return "CUDA-capable device(s) is/are busy or unavailable";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorNoKernelImageForDevice: return "no kernel image is available for execution on the device";
    case cudaErrorSystemDriverMismatch: return "system has unsupported display driver / cuda driver combination";
    default: return "error of the stand-in";
  }
}

/* Streams and events. */
cudaError_t cudaStreamCreate(cudaStream_t *s) { HANDLE(s); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned flags) { HANDLE(s); }
cudaError_t cudaEventCreate(cudaEvent_t *e) { HANDLE(e); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned flags) { HANDLE(e); }
cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t a, cudaEvent_t b) { *ms = 1; return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t s) { return unsafe() ? cudaErrorStreamCaptureUnsupported : cudaSuccess; }
cudaError_t cudaDeviceSynchronize(void) { return unsafe() ? cudaErrorStreamCaptureUnsupported : cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t e) { return unsafe() ? cudaErrorStreamCaptureUnsupported : cudaSuccess; }

/* Graphs. */
cudaError_t cudaStreamBeginCapture(cudaStream_t s, enum cudaStreamCaptureMode m) {
  const char *graphs = getenv("FAKE_CUDA_GRAPHS");
  if (graphs) return atoi(graphs) ? (cudaError_t)atoi(graphs) : cudaErrorStreamCaptureUnsupported;
  if (capturing) return cudaErrorIllegalState;
  capturing = s;
  is_spoiled = 0;
  return (captured = calloc(1, sizeof *captured)) ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *g) {
  *g = (cudaGraph_t)captured;
  capturing = NULL;
  return is_spoiled ? cudaErrorStreamCaptureInvalidated : cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t s, enum cudaStreamCaptureStatus *c) {
  *c = capturing && s == capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *e, cudaGraph_t g, unsigned long long flags) {
  *e = (cudaGraphExec_t)g;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t e, cudaStream_t s) {
  struct graph *graph = (struct graph *)e;
  pthread_mutex_lock(&lock);
  counted.graph_launches++;
  counted.graph_nodes += graph->launches + graph->num_copies;
  pthread_mutex_unlock(&lock);
  for (size_t i = 0; i < graph->num_copies; i++) {
    /* What lay there when it was captured may be gone by now. */
    if (!block_of(graph->copies[i].from)) return cudaErrorInvalidValue;
    copy(graph->copies[i].to, graph->copies[i].from, graph->copies[i].size);
  }
  return cudaSuccess;
}

/* Kernels. */
cudaError_t cudaLaunchKernel(const void *f, dim3 g, dim3 b, void **a, size_t m, cudaStream_t s) { return launch(s); }
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t *c, const void *f, void **a) { return launch(c->stream); }
cudaError_t cudaLaunchCooperativeKernel(const void *f, dim3 g, dim3 b, void **a, size_t m, cudaStream_t s) { return launch(s); }
cudaError_t __cudaLaunchKernel(void *f, dim3 g, dim3 b, void **a, size_t m, cudaStream_t s) { return launch(s); }
cudaError_t cudaLaunchHostFunc(cudaStream_t s, cudaHostFn_t f, void *data) { f(data); return cudaSuccess; }
cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *a, const void *f) {
  memset(a, 0, sizeof *a);
  a->maxThreadsPerBlock = 1024;
  a->numRegs = 32;
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *n, const void *f, int b, size_t m, unsigned flags) { *n = 2; return cudaSuccess; }
cudaError_t cudaGetDriverEntryPointByVersion(const char *name, void **f, unsigned version, unsigned long long flags, enum cudaDriverEntryPointQueryResult *found) {
  *f = NULL;
  if (found) *found = cudaDriverEntryPointSymbolNotFound;
  return cudaSuccess;
}

/* What the compiler's code calls to make kernels known, and before it launches one. */
void **__cudaRegisterFatBinary(void *binary) { static void *handle[4]; return handle; }
void __cudaRegisterFatBinaryEnd(void **h) {}
void __cudaUnregisterFatBinary(void **h) {}
void __cudaRegisterFunction(void **h, const char *f, char *d, const char *n, int l, void *t, void *b, void *bd, void *gd, int *w) {}
void __cudaRegisterVar(void **h, char *v, char *d, const char *n, int e, size_t s, int c, int g) {}
static __thread void *launch_stream;
unsigned __cudaPushCallConfiguration(dim3 g, dim3 b, size_t m, void *s) { launch_stream = s; return 0; }
cudaError_t __cudaPopCallConfiguration(dim3 *g, dim3 *b, size_t *m, void *s) {
  g->x = g->y = g->z = b->x = b->y = b->z = 1;
  *m = 0;
  *(void **)s = launch_stream;
  return cudaSuccess;
}
cudaError_t __cudaGetKernel(void **kernel, const void *f) { *kernel = (void *)f; return cudaSuccess; }
