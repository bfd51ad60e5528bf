// SPDX-License-Identifier: Apache-2.0
//
// What the tests of calls share: a fake server, a client of it, and what it is asked.

#ifndef BLENDWIRE_CLIENT_TESTING_CALLS_H_
#define BLENDWIRE_CLIENT_TESTING_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "client/client.h"
#include "client/testing/fake_server.h"
#include "gtest/gtest.h"

namespace blendwire::testing {

class CallsTest : public ::testing::Test {
 protected:
  CallsTest() : server_(service_), client_(Connect()) {}

  Client Connect(ClientOptions options = {}) {
    options.address = server_.address();
    return Client::Create(options).value();
  }

  PredictRequest Request() {
    PredictRequest request;
    request.mesh = {vertices_, triangles_};
    request.expression.name = "aa";
    request.expression.intensity = 0.5f;
    return request;
  }

  BatchRequest Batch(const std::vector<std::string>& names) {
    BatchRequest request;
    request.mesh = {vertices_, triangles_};
    for (size_t i = 0; i < names.size(); ++i) {
      BatchItem item;
      item.expression.name = names[i];
      item.expression.intensity = static_cast<float>(i) * 0.25f;
      request.items.push_back(std::move(item));
    }
    return request;
  }

  // What FakeService answers.
  std::vector<float> Scaled(float factor) const {
    std::vector<float> result;
    for (const float value : vertices_) result.push_back(value * factor);
    return result;
  }

  const std::vector<float> vertices_ = {1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -2, -3};
  const std::vector<uint32_t> triangles_ = {0, 1, 2, 1, 2, 3};
  FakeService service_;
  FakeServer server_;
  Client client_;
};

}  // namespace blendwire::testing

#endif  // BLENDWIRE_CLIENT_TESTING_CALLS_H_
