/* SPDX-License-Identifier: Apache-2.0
 *
 * Uses the client library as Python's ctypes does: linked to nothing, LoadLibrary and GetProcAddress.
 *
 *   load_library LIBRARY SERVER predict   starts a server, predicts one expression and a batch of
 *                                         three, prints the offsets, stops the server
 *   load_library LIBRARY SERVER wait      starts a server, prints its address and token, and waits to
 *                                         be killed
 */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "blendwire.h"

#define VERTICES 4

static HMODULE library;

static FARPROC find(const char* name) {
  FARPROC function = GetProcAddress(library, name);
  if (function == NULL) {
    fprintf(stderr, "the library has no %s\n", name);
    exit(3);
  }
  return function;
}
/* The function of that name, with its type. */
#define CALL(name) ((__typeof__(&name))(void*)find(#name))

static int fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, CALL(blendwire_last_error)());
  return 1;
}

static char* utf8(const wchar_t* wide) {
  const int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
  char* text = malloc((size_t)size);
  WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
  return text;
}

static void print(const char* name, const float* offsets) {
  printf("%s", name);
  for (int i = 0; i < VERTICES * 3; ++i) printf(" %.9g", (double)offsets[i]);
  printf("\n");
}

static int predict(blendwire_client* client) {
  static const float vertices[VERTICES * 3] = {0.00f, -0.05f, 0.00f, 0.03f, -0.04f, 0.01f,
                                               0.00f, -0.06f, 0.04f, -0.03f, -0.04f, -0.02f};
  static const char* const names[3] = {"aa", "ou", "E"};
  blendwire_mesh mesh;
  blendwire_expression expressions[3];
  blendwire_predict_request items[3];
  float offsets[3][VERTICES * 3];
  CALL(blendwire_mesh_init)(&mesh, sizeof(mesh));
  mesh.vertices = vertices;
  mesh.vertex_count = VERTICES;
  for (int i = 0; i < 3; ++i) {
    CALL(blendwire_expression_init)(&expressions[i], sizeof(expressions[i]));
    expressions[i].name = names[i];
    CALL(blendwire_predict_request_init)(&items[i], sizeof(items[i]));
    items[i].expression = &expressions[i];
    items[i].offsets = offsets[i];
    items[i].offset_vertex_count = VERTICES;
  }

  blendwire_predict_request single = items[0];
  single.mesh = &mesh;
  if (CALL(blendwire_predict)(client, &single, NULL, NULL) != BLENDWIRE_OK) return fail("predict");
  print("single", offsets[0]);

  blendwire_batch_request batch;
  CALL(blendwire_batch_request_init)(&batch, sizeof(batch));
  batch.mesh = &mesh;
  batch.items = items;
  batch.item_count = 3;
  if (CALL(blendwire_predict_batch)(client, &batch, NULL, NULL, NULL, NULL) != BLENDWIRE_OK) {
    return fail("batch");
  }
  for (int i = 0; i < 3; ++i) print(names[i], offsets[i]);
  return 0;
}

int main(void) {
  int count = 0;
  wchar_t** arguments = CommandLineToArgvW(GetCommandLineW(), &count);
  if (count != 4) return 2;
  library = LoadLibraryW(arguments[1]);
  if (library == NULL) {
    fprintf(stderr, "the library cannot be loaded: error %lu\n", GetLastError());
    return 3;
  }
  if (CALL(blendwire_abi_version)() != BLENDWIRE_ABI_VERSION) return 4;

  blendwire_server_options options;
  CALL(blendwire_server_options_init)(&options, sizeof(options));
  options.program = utf8(arguments[2]);
  blendwire_server* server = NULL;
  if (CALL(blendwire_server_start)(&options, &server) != BLENDWIRE_OK) return fail("server");

  if (wcscmp(arguments[3], L"wait") == 0) {
    char address[64];
    char token[256];
    CALL(blendwire_server_address)(server, address, sizeof(address));
    CALL(blendwire_server_token)(server, token, sizeof(token));
    printf("%s %s\n", address, token);
    fflush(stdout);
    Sleep(INFINITE);
  }
  blendwire_client* client = NULL;
  if (CALL(blendwire_client_create_for_server)(server, NULL, &client) != BLENDWIRE_OK) {
    return fail("client");
  }
  const int result = predict(client);
  CALL(blendwire_client_free)(client);
  if (CALL(blendwire_server_stop)(server, 20000) != BLENDWIRE_OK) return fail("stop");
  CALL(blendwire_server_free)(server);
  return result;
}
