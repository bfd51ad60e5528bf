/* SPDX-License-Identifier: Apache-2.0
 *
 * Blendwire's client for any language that can call C: libblendwire_client.
 *
 * Handles are opaque. What a function needs is copied before it returns, except the `offsets`
 * buffers of a prediction, which are filled in place and must stay valid until its job is done or
 * freed.
 *
 * Errors. A function that can fail returns a blendwire_code, the canonical codes of gRPC; what was
 * wrong, and what would be right, is blendwire_last_error() of the same thread. An argument that
 * must not be NULL and is gives BLENDWIRE_INVALID_ARGUMENT. Functions named *_free take NULL.
 *
 * Structs begin with their own size, so that a program and a library of different ages understand
 * each other: one that is passed in is set up with its *_init function, one that is filled in needs
 * its struct_size set to sizeof. Texts are UTF-8 and end with NUL; a text that does not fit into a
 * fixed array is cut between two characters.
 *
 * Threads. Every function may be called from any thread; one job, client or server may be used by
 * several threads at once, but *_free must be the last call on it. The library works on threads of
 * its own and never calls back from them, except a function that was given to
 * blendwire_job_on_done.
 *
 * Coordinates: metres, right-handed, Z up, the face looks along -Y, the avatar's own left is +X.
 *
 * docs/c-api.md has complete programs.
 */
#ifndef BLENDWIRE_CAPI_BLENDWIRE_H_
#define BLENDWIRE_CAPI_BLENDWIRE_H_

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#if defined(BLENDWIRE_BUILDING_LIBRARY)
#define BLENDWIRE_API __declspec(dllexport)
#else
#define BLENDWIRE_API __declspec(dllimport)
#endif
#else
#define BLENDWIRE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- version ---- */

/* Grows when something that exists changes its meaning; additions leave it as it is. */
#define BLENDWIRE_ABI_VERSION 1

/* Compare it with BLENDWIRE_ABI_VERSION before any other call. */
BLENDWIRE_API uint32_t blendwire_abi_version(void);
/* Of the library, e.g. "0.1.0". */
BLENDWIRE_API const char* blendwire_version(void);

/* ---- errors ---- */

typedef int32_t blendwire_code;

enum {
  BLENDWIRE_PENDING = -1, /* of a job that is still running */
  BLENDWIRE_OK = 0,
  BLENDWIRE_CANCELLED = 1,
  BLENDWIRE_UNKNOWN = 2,
  BLENDWIRE_INVALID_ARGUMENT = 3,
  BLENDWIRE_DEADLINE_EXCEEDED = 4,
  BLENDWIRE_NOT_FOUND = 5,
  BLENDWIRE_ALREADY_EXISTS = 6,
  BLENDWIRE_PERMISSION_DENIED = 7,
  BLENDWIRE_RESOURCE_EXHAUSTED = 8,
  BLENDWIRE_FAILED_PRECONDITION = 9,
  BLENDWIRE_ABORTED = 10,
  BLENDWIRE_OUT_OF_RANGE = 11,
  BLENDWIRE_UNIMPLEMENTED = 12,
  BLENDWIRE_INTERNAL = 13,
  BLENDWIRE_UNAVAILABLE = 14,
  BLENDWIRE_DATA_LOSS = 15,
  BLENDWIRE_UNAUTHENTICATED = 16
};

/* "INVALID_ARGUMENT"; "UNKNOWN" for a number that is no code. Never NULL, never freed. */
BLENDWIRE_API const char* blendwire_code_name(blendwire_code code);

/* The message of this thread's last call that returned an error; "" before the first. Valid until
 * this thread's next call that returns an error. */
BLENDWIRE_API const char* blendwire_last_error(void);

/* ---- the client ---- */

typedef struct blendwire_client blendwire_client;
typedef struct blendwire_server blendwire_server;
typedef struct blendwire_job blendwire_job;

/* Times in milliseconds. blendwire_client_options_init sets what stands in parentheses. */
typedef struct blendwire_client_options {
  size_t struct_size;
  const char* address; /* ("127.0.0.1:50051"); also "localhost:PORT", "[::1]:PORT", "unix:/path";
                          only this machine */
  const char* token;   /* sent with every call; ("") sends none */
  int64_t timeout_ms;  /* (30000) of a call, retries included; a batch has it for each item */
  int32_t channels;    /* (3) separate connections, 1 to 64, opened when calls overlap */
  int32_t max_message_bytes;       /* (104857600) limit for one message, both ways */
  int32_t retry_max_attempts;      /* (6) tries of a call that ends with UNAVAILABLE; 1: no retry */
  int32_t keepalive_without_calls; /* (1) pings also when nothing is running: 0 or 1 */
  int64_t retry_max_total_ms;      /* (10000) no wait between tries ends later than this */
  int64_t retry_initial_backoff_ms; /* (100) */
  int64_t retry_max_backoff_ms;     /* (2000) */
  double retry_multiplier;          /* (2.0) each wait is this many times the last */
  double retry_jitter;              /* (0.5) the random part of a wait, 0 to 1 */
  int64_t keepalive_time_ms;        /* (30000) between pings that find a dead connection */
  int64_t keepalive_timeout_ms;     /* (5000) for the answer to a ping */
} blendwire_client_options;

BLENDWIRE_API void blendwire_client_options_init(blendwire_client_options* options,
                                                 size_t struct_size);

/* Opens nothing yet: a server that is not there shows as UNAVAILABLE at the first call. `options`
 * may be NULL for the defaults. A lost connection is opened again by the next call. */
BLENDWIRE_API blendwire_code blendwire_client_create(const blendwire_client_options* options,
                                                     blendwire_client** client);

/* For a server of one's own: its address and token replace those of `options`, which may be NULL.
 */
BLENDWIRE_API blendwire_code blendwire_client_create_for_server(
    const blendwire_server* server, const blendwire_client_options* options,
    blendwire_client** client);

/* Ends its running calls with CANCELLED and waits for them. Their jobs stay valid. */
BLENDWIRE_API void blendwire_client_free(blendwire_client* client);

/* What can differ from call to call. NULL stands for the defaults everywhere. */
typedef struct blendwire_call_options {
  size_t struct_size;
  int64_t timeout_ms;     /* (0: the client's own; not multiplied for a batch) */
  const char* request_id; /* (NULL: one is made) found in the server's log; printable ASCII */
  int32_t max_attempts;   /* (0: the client's own) 1 asks whether a server is there now */
} blendwire_call_options;

BLENDWIRE_API void blendwire_call_options_init(blendwire_call_options* options, size_t struct_size);

/* ---- what goes into a prediction ---- */

typedef struct blendwire_mesh {
  size_t struct_size;
  const float* vertices; /* x, y, z of each vertex, metres */
  size_t vertex_count;
  size_t vertex_stride; /* bytes from one vertex to the next; 0 means 12: packed. Packed vertices
                           are copied once, others once more */
  /* Three indices each, counter-clockwise seen from outside. May be NULL: then smoothing goes over
   * nearest neighbours, which may glue touching lips together. */
  const uint32_t* triangles;
  size_t triangle_count;
} blendwire_mesh;

BLENDWIRE_API void blendwire_mesh_init(blendwire_mesh* mesh, size_t struct_size);

enum { BLENDWIRE_VISEME = 0, BLENDWIRE_EMOTION = 1, BLENDWIRE_CUSTOM = 2 };

typedef struct blendwire_expression {
  size_t struct_size;
  int32_t kind;          /* (BLENDWIRE_VISEME) */
  float intensity;       /* (1.0) 0 to 1 */
  const char* name;      /* "aa", "vrc.v_aa", "Joy"; for BLENDWIRE_CUSTOM a unit or free text */
  const float* features; /* BLENDWIRE_CUSTOM: the raw condition vector, instead of parameters */
  size_t feature_count;
  const char* const* parameter_names; /* BLENDWIRE_CUSTOM: weights of ARKit units, e.g. "jawOpen" */
  const float* parameter_weights;     /* 0 to 1, one for each name */
  size_t parameter_count;
} blendwire_expression;

BLENDWIRE_API void blendwire_expression_init(blendwire_expression* expression, size_t struct_size);

typedef struct blendwire_prediction_options {
  size_t struct_size;
  int32_t apply_smoothing;      /* (1) */
  int32_t smoothing_iterations; /* (2) */
  float max_displacement;       /* (0.08) metres */
  int32_t clamp_extreme_values; /* (1) shorten offsets to max_displacement */
  int32_t timeout_seconds; /* (30) on the server, queueing included; 0: the call's own deadline */
} blendwire_prediction_options;

BLENDWIRE_API void blendwire_prediction_options_init(blendwire_prediction_options* options,
                                                     size_t struct_size);

typedef struct blendwire_predict_request {
  size_t struct_size;
  const blendwire_mesh* mesh; /* in a batch: NULL for the batch's own */
  const blendwire_expression* expression;
  const blendwire_prediction_options* options; /* (NULL: the defaults) */
  const char* model;                           /* (NULL: the one named "default") */
  float* offsets;             /* filled in place: dx, dy, dz of each vertex, metres */
  size_t offset_vertex_count; /* its room in vertices: exactly as many as the mesh has */
  size_t offset_stride;       /* bytes from one vertex to the next; 0 means 12: packed */
} blendwire_predict_request;

BLENDWIRE_API void blendwire_predict_request_init(blendwire_predict_request* request,
                                                  size_t struct_size);

/* Several expressions; the shared mesh travels once. */
typedef struct blendwire_batch_request {
  size_t struct_size;
  const blendwire_mesh* mesh;             /* NULL if each item brings its own */
  const blendwire_predict_request* items; /* all with the same struct_size */
  size_t item_count;
  int32_t max_parallel; /* (0: as many as the server has workers) */
} blendwire_batch_request;

BLENDWIRE_API void blendwire_batch_request_init(blendwire_batch_request* request,
                                                size_t struct_size);

/* ---- what comes out ---- */

/* Times are the server's, in milliseconds. */
typedef struct blendwire_prediction_info {
  size_t struct_size;
  blendwire_code code; /* of this item of a batch; BLENDWIRE_PENDING while it is not finished */
  float queue_time_ms;
  float preprocessing_time_ms;
  float inference_time_ms;
  float postprocessing_time_ms;
  int32_t vertices_processed;
  int32_t extreme_vertices; /* displaced by more than 0.08 m */
  float mean_displacement;  /* metres */
  float max_displacement;   /* metres */
  float smoothness;         /* 0 (noise) to 1 (locally constant) */
  char model_name[128];
  char model_version[128];
  char execution_provider[64];
} blendwire_prediction_info;

enum {
  BLENDWIRE_SERVING_UNKNOWN = 0,
  BLENDWIRE_SERVING = 1,
  BLENDWIRE_NOT_SERVING = 2,
  BLENDWIRE_SERVICE_UNKNOWN = 3
};

typedef struct blendwire_health_info {
  size_t struct_size;
  int32_t status; /* BLENDWIRE_SERVING, ... */
  int32_t gpu_available;
  int32_t max_concurrent_requests;
  char message[512];
  char version[64];        /* of the server */
  char model_version[128]; /* of the model named "default"; "" when there is none */
  char device_info[256];
} blendwire_health_info;

typedef struct blendwire_latency {
  int64_t count;
  float mean_ms, p50_ms, p95_ms, p99_ms, max_ms;
} blendwire_latency;

/* Since the server's start or the last reset. A batch counts each of its items. */
typedef struct blendwire_stats {
  size_t struct_size;
  int64_t total_requests;
  int64_t successful_requests;
  int64_t failed_requests;
  int64_t rejected_requests;
  int64_t cancelled_requests;
  int64_t deadline_exceeded_requests;
  int32_t in_flight_requests;
  int32_t queued_requests;
  float avg_inference_time_ms;
  float max_inference_time_ms;
  float min_inference_time_ms;
  float uptime_seconds;
  blendwire_latency total_time;
  blendwire_latency queue_time;
  blendwire_latency preprocessing_time;
  blendwire_latency inference_time;
  blendwire_latency postprocessing_time;
  float cpu_usage_percent;   /* 100 is one core */
  float memory_usage_mb;     /* MiB */
  float gpu_memory_usage_mb; /* MiB */
  float gpu_utilization_percent;
  size_t model_count; /* for blendwire_job_model_stats */
} blendwire_stats;

typedef struct blendwire_model_stats {
  size_t struct_size;
  int64_t successful_requests;
  int64_t failed_requests;
  blendwire_latency inference_time;
  char model_name[128];
} blendwire_model_stats;

/* The texts belong to the job and are valid until it is freed. */
typedef struct blendwire_model_info {
  size_t struct_size;
  const char* name; /* what blendwire_predict_request.model asks for */
  const char* version;
  const char* title;
  const char* execution_provider;
  const char* sha256;
  int32_t condition_size;
  int32_t takes_normals;
  int32_t max_batch;                  /* expressions in one run; 0 is any number */
  const char* const* condition_slots; /* none: the standard layout */
  size_t condition_slot_count;
  const char* const* expressions; /* names that it can be asked for */
  size_t expression_count;
} blendwire_model_info;

/* ---- calls that wait ---- */
/* The result may be NULL if only the code matters. */

BLENDWIRE_API blendwire_code blendwire_health(blendwire_client* client,
                                              const blendwire_call_options* call,
                                              blendwire_health_info* health);

BLENDWIRE_API blendwire_code blendwire_predict(blendwire_client* client,
                                               const blendwire_predict_request* request,
                                               const blendwire_call_options* call,
                                               blendwire_prediction_info* info);

/* Called on the thread that waits, after each item: `index` is its position in the request,
 * `completed` how many are finished. Return 0 to go on; anything else ends the call with CANCELLED.
 */
typedef int32_t (*blendwire_progress)(void* user, size_t index, size_t completed, size_t total);

/* One bad item does not fail the others: its code is in its place of `infos`, which has item_count
 * elements, each with its struct_size set, or is NULL. The returned code is that of the call.
 * `progress` may be NULL. */
BLENDWIRE_API blendwire_code blendwire_predict_batch(blendwire_client* client,
                                                     const blendwire_batch_request* request,
                                                     const blendwire_call_options* call,
                                                     blendwire_progress progress, void* user,
                                                     blendwire_prediction_info* infos);

BLENDWIRE_API blendwire_code blendwire_get_stats(blendwire_client* client, int32_t reset,
                                                 const blendwire_call_options* call,
                                                 blendwire_stats* stats);

typedef struct blendwire_load_request {
  size_t struct_size;
  const char* path; /* on the server's machine, inside one of its --model-root folders */
  const char* name; /* (NULL: "default") */
  const char* const* option_names; /* "device", "threads", "warmup", "sha256" */
  const char* const* option_values;
  size_t option_count;
} blendwire_load_request;

BLENDWIRE_API void blendwire_load_request_init(blendwire_load_request* request, size_t struct_size);

/* The loaded model's version goes into `version`, which has room for `version_size` bytes. */
BLENDWIRE_API blendwire_code blendwire_load_model(blendwire_client* client,
                                                  const blendwire_load_request* request,
                                                  const blendwire_call_options* call, char* version,
                                                  size_t version_size);

/* NULL means "default". */
BLENDWIRE_API blendwire_code blendwire_unload_model(blendwire_client* client, const char* name,
                                                    const blendwire_call_options* call);

/* On success the job is done and holds the list: blendwire_job_model_count, blendwire_job_model,
 * blendwire_job_free. */
BLENDWIRE_API blendwire_code blendwire_list_models(blendwire_client* client,
                                                   const blendwire_call_options* call,
                                                   blendwire_job** job);

/* ---- calls in the background ---- */
/* An error of these functions means that nothing was started and there is no job. */

BLENDWIRE_API blendwire_code blendwire_submit_health(blendwire_client* client,
                                                     const blendwire_call_options* call,
                                                     blendwire_job** job);
BLENDWIRE_API blendwire_code blendwire_submit_predict(blendwire_client* client,
                                                      const blendwire_predict_request* request,
                                                      const blendwire_call_options* call,
                                                      blendwire_job** job);
/* Items arrive one by one: blendwire_job_next_item. */
BLENDWIRE_API blendwire_code blendwire_submit_batch(blendwire_client* client,
                                                    const blendwire_batch_request* request,
                                                    const blendwire_call_options* call,
                                                    blendwire_job** job);
BLENDWIRE_API blendwire_code blendwire_submit_stats(blendwire_client* client, int32_t reset,
                                                    const blendwire_call_options* call,
                                                    blendwire_job** job);
BLENDWIRE_API blendwire_code blendwire_submit_load_model(blendwire_client* client,
                                                         const blendwire_load_request* request,
                                                         const blendwire_call_options* call,
                                                         blendwire_job** job);
BLENDWIRE_API blendwire_code blendwire_submit_unload_model(blendwire_client* client,
                                                           const char* name,
                                                           const blendwire_call_options* call,
                                                           blendwire_job** job);
BLENDWIRE_API blendwire_code blendwire_submit_list_models(blendwire_client* client,
                                                          const blendwire_call_options* call,
                                                          blendwire_job** job);

/* BLENDWIRE_PENDING while it runs, then how it ended. Never waits. */
BLENDWIRE_API blendwire_code blendwire_job_poll(const blendwire_job* job);

/* As blendwire_job_poll, but waits for the end, `timeout_ms` at the most; a negative one is none.
 */
BLENDWIRE_API blendwire_code blendwire_job_wait(const blendwire_job* job, int64_t timeout_ms);

/* Asks the job to end with CANCELLED; one that is done stays as it is. Does not wait. */
BLENDWIRE_API void blendwire_job_cancel(blendwire_job* job);

/* Cancels the job if it runs and waits until nothing writes to its buffers any more. */
BLENDWIRE_API void blendwire_job_free(blendwire_job* job);

/* The message of the error that it ended with; "" otherwise. Valid until it is freed. */
BLENDWIRE_API const char* blendwire_job_message(const blendwire_job* job);

/* Asks to be called when the job is done, on a thread of the library, or at once on this one if it
 * is done already. The function must not block; in it the job may be read and freed, but no other
 * job that runs may be freed or waited for. One function for each job. */
typedef void (*blendwire_done)(void* user, blendwire_job* job);
BLENDWIRE_API blendwire_code blendwire_job_on_done(blendwire_job* job, blendwire_done done,
                                                   void* user);

/* ---- results of a job ---- */
/* FAILED_PRECONDITION for a job of another kind or one that still runs; the job's own error if it
 * failed. */

BLENDWIRE_API blendwire_code blendwire_job_health(const blendwire_job* job,
                                                  blendwire_health_info* health);
BLENDWIRE_API blendwire_code blendwire_job_prediction(const blendwire_job* job,
                                                      blendwire_prediction_info* info);
BLENDWIRE_API blendwire_code blendwire_job_stats(const blendwire_job* job, blendwire_stats* stats);
BLENDWIRE_API blendwire_code blendwire_job_model_stats(const blendwire_job* job, size_t index,
                                                       blendwire_model_stats* stats);
BLENDWIRE_API blendwire_code blendwire_job_loaded_version(const blendwire_job* job, char* version,
                                                          size_t version_size);
BLENDWIRE_API blendwire_code blendwire_job_model_count(const blendwire_job* job, size_t* count);
BLENDWIRE_API blendwire_code blendwire_job_model(const blendwire_job* job, size_t index,
                                                 blendwire_model_info* info);

/* Batches, also while they run. Both are 0 for other jobs. */
BLENDWIRE_API void blendwire_job_progress(const blendwire_job* job, size_t* completed,
                                          size_t* total);
/* Takes the next finished item that was not taken yet, in the order in which they finish: 1 and its
 * index, or 0 when there is none (now). Its offsets are complete. */
BLENDWIRE_API int32_t blendwire_job_next_item(blendwire_job* job, size_t* index);
/* Returns the item's code. `info` may be NULL. An item that a failed or cancelled batch did not get
 * to has the batch's code. */
BLENDWIRE_API blendwire_code blendwire_job_item(const blendwire_job* job, size_t index,
                                                blendwire_prediction_info* info);

/* ---- a server of one's own ---- */

typedef struct blendwire_server_options {
  size_t struct_size;
  const char* program;          /* (NULL: what the environment variable BLENDWIRE_SERVER names, else
                                   blendwire-server beside the program or beside this library) */
  const char* const* arguments; /* after those that the library needs, e.g. "--workers", "2" */
  size_t argument_count;
  const char* const* environment; /* "NAME=value" sets, "NAME" removes */
  size_t environment_count;
  const char* log_file;     /* (NULL: the last lines are kept for blendwire_server_log) */
  int64_t start_timeout_ms; /* (60000) until it serves, loading the model included */
  int32_t max_crashes;      /* (3) restart refuses after this many crashes ... */
  int64_t crash_window_ms;  /* (60000) ... within this time */
} blendwire_server_options;

BLENDWIRE_API void blendwire_server_options_init(blendwire_server_options* options,
                                                 size_t struct_size);

/* Starts blendwire-server with a secret token and a free port, and returns when it serves. It
 * cannot outlive this program, however this program ends. `options` may be NULL. The error says
 * what happened, what to do, and the last lines of the server's log. */
BLENDWIRE_API blendwire_code blendwire_server_start(const blendwire_server_options* options,
                                                    blendwire_server** server);
/* Stops it if it runs and starts it again. Address and token change: make a new client. Refused
 * with FAILED_PRECONDITION after max_crashes crashes within crash_window_ms. */
BLENDWIRE_API blendwire_code blendwire_server_restart(blendwire_server* server);
/* Lets it finish its work; kills it after `grace_ms`, which is DEADLINE_EXCEEDED. */
BLENDWIRE_API blendwire_code blendwire_server_stop(blendwire_server* server, int64_t grace_ms);
/* Stops it, with 5 s of grace, if it runs. */
BLENDWIRE_API void blendwire_server_free(blendwire_server* server);

/* The same in the background. A job keeps its server; stopping cannot be cancelled. */
BLENDWIRE_API blendwire_code blendwire_submit_server_start(const blendwire_server_options* options,
                                                           blendwire_job** job);
BLENDWIRE_API blendwire_code blendwire_submit_server_restart(blendwire_server* server,
                                                             blendwire_job** job);
BLENDWIRE_API blendwire_code blendwire_submit_server_stop(blendwire_server* server,
                                                          int64_t grace_ms, blendwire_job** job);
/* The started server, once; it is the caller's to free. One that is not taken goes with the job. */
BLENDWIRE_API blendwire_code blendwire_job_take_server(blendwire_job* job,
                                                       blendwire_server** server);

/* BLENDWIRE_OK while it runs, otherwise why it does not. Never waits. */
BLENDWIRE_API blendwire_code blendwire_server_check(const blendwire_server* server);

/* As of the last start. Each returns the text's length without its NUL, and writes as much of it as
 * fits into `size` bytes, NUL included; with size 0 the buffer may be NULL. */
BLENDWIRE_API size_t blendwire_server_address(const blendwire_server* server, char* buffer,
                                              size_t size);
BLENDWIRE_API size_t blendwire_server_token(const blendwire_server* server, char* buffer,
                                            size_t size);
BLENDWIRE_API size_t blendwire_server_version(const blendwire_server* server, char* buffer,
                                              size_t size);
/* The last lines of its log, at most 100, each ended by a newline. */
BLENDWIRE_API size_t blendwire_server_log(const blendwire_server* server, char* buffer,
                                          size_t size);
BLENDWIRE_API int64_t blendwire_server_pid(const blendwire_server* server);

#ifdef __cplusplus
}
#endif

#endif /* BLENDWIRE_CAPI_BLENDWIRE_H_ */
