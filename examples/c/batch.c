/* SPDX-License-Identifier: Apache-2.0
 *
 * Several shapes of one mesh, with progress, into one array:
 *
 *   batch [path/to/blendwire-server]
 */
#include <stdio.h>

#include "blendwire.h"

#define VERTICES 4
#define SHAPES 3

static int32_t report(void* user, size_t index, size_t completed, size_t total) {
  const char* const* names = user;
  printf("%zu of %zu: %s\n", completed, total, names[index]);
  return 0; /* go on */
}

static blendwire_code predict(blendwire_client* client) {
  const char* const names[SHAPES] = {"aa", "E", "oh"};
  const float vertices[VERTICES][3] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  float offsets[SHAPES][VERTICES][3];

  blendwire_mesh mesh;
  blendwire_mesh_init(&mesh, sizeof(mesh));
  mesh.vertices = &vertices[0][0];
  mesh.vertex_count = VERTICES;

  blendwire_expression expressions[SHAPES];
  blendwire_predict_request items[SHAPES];
  blendwire_prediction_info infos[SHAPES];
  for (int i = 0; i < SHAPES; ++i) {
    blendwire_expression_init(&expressions[i], sizeof(expressions[i]));
    expressions[i].name = names[i];
    blendwire_predict_request_init(&items[i], sizeof(items[i]));
    items[i].expression = &expressions[i]; /* and no mesh: the batch's own */
    items[i].offsets = &offsets[i][0][0];
    items[i].offset_vertex_count = VERTICES;
    infos[i].struct_size = sizeof(infos[i]);
  }

  blendwire_batch_request batch;
  blendwire_batch_request_init(&batch, sizeof(batch));
  batch.mesh = &mesh;
  batch.items = items;
  batch.item_count = SHAPES;
  const blendwire_code code =
      blendwire_predict_batch(client, &batch, NULL, report, (void*)names, infos);
  for (int i = 0; code == BLENDWIRE_OK && i < SHAPES; ++i) {
    printf("%s: %s\n", names[i], blendwire_code_name(infos[i].code));
  }
  return code;
}

int main(int argc, char** argv) {
  blendwire_server_options options;
  blendwire_server_options_init(&options, sizeof(options));
  if (argc > 1) options.program = argv[1];
  blendwire_server* server = NULL;
  blendwire_client* client = NULL;
  blendwire_code code = blendwire_server_start(&options, &server);
  if (code == BLENDWIRE_OK) code = blendwire_client_create_for_server(server, NULL, &client);
  if (code == BLENDWIRE_OK) code = predict(client);
  if (code != BLENDWIRE_OK) {
    fprintf(stderr, "%s: %s\n", blendwire_code_name(code), blendwire_last_error());
  }
  blendwire_client_free(client);
  blendwire_server_free(server);
  return code == BLENDWIRE_OK ? 0 : 1;
}
