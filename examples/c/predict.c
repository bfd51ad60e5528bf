/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts a server of its own, predicts one shape in the background and prints the offsets:
 *
 *   predict [path/to/blendwire-server]
 */
#include <stdio.h>

#include "blendwire.h"

static int fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, blendwire_last_error());
  return 1;
}

static int predict(blendwire_client* client) {
  const float vertices[4][3] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  const uint32_t triangles[2][3] = {{0, 1, 2}, {0, 2, 3}};
  float offsets[4][3];

  blendwire_mesh mesh;
  blendwire_mesh_init(&mesh, sizeof(mesh));
  mesh.vertices = &vertices[0][0];
  mesh.vertex_count = 4;
  mesh.triangles = &triangles[0][0];
  mesh.triangle_count = 2;

  blendwire_expression expression;
  blendwire_expression_init(&expression, sizeof(expression));
  expression.name = "aa";
  expression.intensity = 0.5f;

  blendwire_predict_request request;
  blendwire_predict_request_init(&request, sizeof(request));
  request.mesh = &mesh;
  request.expression = &expression;
  request.offsets = &offsets[0][0];
  request.offset_vertex_count = 4;

  blendwire_job* job = NULL;
  if (blendwire_submit_predict(client, &request, NULL, &job) != BLENDWIRE_OK) {
    return fail("submit");
  }
  while (blendwire_job_poll(job) == BLENDWIRE_PENDING) {
    blendwire_job_wait(job, 10); /* or do something else meanwhile */
  }
  const blendwire_code code = blendwire_job_poll(job);
  if (code != BLENDWIRE_OK) {
    fprintf(stderr, "%s: %s\n", blendwire_code_name(code), blendwire_job_message(job));
  } else {
    for (int i = 0; i < 4; ++i) {
      printf("%g %g %g\n", (double)offsets[i][0], (double)offsets[i][1], (double)offsets[i][2]);
    }
  }
  blendwire_job_free(job);
  return code == BLENDWIRE_OK ? 0 : 1;
}

int main(int argc, char** argv) {
  if (blendwire_abi_version() != BLENDWIRE_ABI_VERSION) return 2;

  blendwire_server_options options;
  blendwire_server_options_init(&options, sizeof(options));
  if (argc > 1) options.program = argv[1];
  blendwire_server* server = NULL;
  if (blendwire_server_start(&options, &server) != BLENDWIRE_OK) return fail("server");

  blendwire_client* client = NULL;
  int result = 1;
  if (blendwire_client_create_for_server(server, NULL, &client) != BLENDWIRE_OK) {
    fail("client");
  } else {
    result = predict(client);
  }
  blendwire_client_free(client);
  blendwire_server_free(server);
  return result;
}
