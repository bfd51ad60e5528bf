// SPDX-License-Identifier: Apache-2.0
//
// `blendwire batch` against a real gRPC server in this process, whose offsets are
// coordinate * intensity. The archives are read back by a reader of their own.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>

#include "cli/npy.h"
#include "cli/testing/command_test.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"

namespace blendwire::cli {
namespace {

using ::blendwire::cli::testing::Ended;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Bit by bit, as ISO 3309 defines it.
uint32_t SlowCrc32(const std::string& bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

uint32_t Number(const std::string& bytes, size_t at, size_t size) {
  uint32_t number = 0;
  for (size_t i = 0; i < size; ++i) {
    number |= static_cast<uint32_t>(static_cast<unsigned char>(bytes.at(at + i))) << (8 * i);
  }
  return number;
}

// The members of an archive of stored files, found by its directory; each is checked against its
// own header.
std::map<std::string, std::string> Unzip(const std::string& zip) {
  std::map<std::string, std::string> members;
  const size_t end = zip.rfind("PK\x05\x06");
  if (end == std::string::npos || end + 22 != zip.size()) {
    ADD_FAILURE() << "the archive has no end record at its end";
    return members;
  }
  const uint32_t count = Number(zip, end + 10, 2);
  size_t at = Number(zip, end + 16, 4);
  EXPECT_EQ(at + Number(zip, end + 12, 4), end);
  for (uint32_t i = 0; i < count; ++i) {
    EXPECT_EQ(zip.substr(at, 4), "PK\x01\x02");
    EXPECT_EQ(Number(zip, at + 10, 2), 0u) << "stored";
    const uint32_t size = Number(zip, at + 24, 4);
    const uint32_t name_size = Number(zip, at + 28, 2);
    const std::string name = zip.substr(at + 46, name_size);
    const size_t local = Number(zip, at + 42, 4);
    EXPECT_EQ(zip.substr(local, 4), "PK\x03\x04");
    EXPECT_EQ(zip.substr(local + 4, 26), zip.substr(at + 6, 26)) << "both headers say the same";
    EXPECT_EQ(zip.substr(local + 30, name_size), name);
    members[name] = zip.substr(local + 30 + name_size, size);
    EXPECT_EQ(Number(zip, at + 16, 4), SlowCrc32(members[name])) << name;
    at += 46 + name_size;
  }
  EXPECT_EQ(at, end);
  return members;
}

// The numbers of an array of shape (4, 3).
std::vector<float> FourVectors(const std::string& npy) {
  EXPECT_THAT(npy, StartsWith("\x93NUMPY\x01"));
  EXPECT_THAT(npy, HasSubstr("'descr': '<f4', 'fortran_order': False, 'shape': (4, 3)"));
  std::vector<float> numbers(12);
  if (npy.size() > 48) std::memcpy(numbers.data(), npy.data() + npy.size() - 48, 48);
  return numbers;
}

class BatchTest : public testing::CommandTest {
 protected:
  Ended Batch(std::vector<std::string> arguments, bool terminal = false) const {
    arguments.insert(arguments.begin(), "batch");
    arguments.insert(arguments.end(), {"--server", server_.address()});
    return Run(arguments, terminal);
  }

  void FailItem(int index) {
    service_.spoil_update = [index](blendwire::testing::contract::BatchPredictionUpdate& update) {
      if (index >= 0 && update.index() != index) return;
      update.clear_response();
      update.mutable_response()->set_success(false);
      update.mutable_response()->set_error_message("no such luck");
      update.mutable_response()->set_status_code(grpc::INTERNAL);
    };
  }
};

TEST_F(BatchTest, OneCallForAllAndOneArrayForEach) {
  const Ended ended =
      Batch({File("face.obj"), "-o", File("out.npz"), "--only", "aa,vrc.v_oh,Joy,jawOpen",
             "--intensity", "0.5", "--smooth", "0", "--max-displacement", "0.02", "--model",
             "other", "--max-parallel", "3", "--vertices", File("vertices.npy")});
  ASSERT_EQ(ended.code, ExitCode::kOk) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("4/4 aa\n"));  // the fake server begins with the last
  EXPECT_THAT(ended.out, HasSubstr("out.npz: 4 of 4 expressions for 4 vertices in "));

  ASSERT_THAT(service_.Seen(), SizeIs(1));
  EXPECT_EQ(service_.Seen()[0].method, "PredictStream");
  const auto batch = service_.LastBatch();
  EXPECT_EQ(batch.max_parallel_requests(), 3);
  EXPECT_EQ(batch.vertices_size(), 12);
  EXPECT_EQ(batch.topology().triangles_size(), 6);
  ASSERT_EQ(batch.requests_size(), 4);
  for (const auto& item : batch.requests()) {
    EXPECT_EQ(item.vertices_size(), 0);  // the mesh travels once
    EXPECT_EQ(item.condition().intensity(), 0.5f);
    EXPECT_EQ(item.model_name(), "other");
    EXPECT_FALSE(item.options().apply_smoothing());
    EXPECT_EQ(item.options().max_displacement(), 0.02f);
  }
  using Condition = blendwire::testing::contract::ExpressionCondition;
  EXPECT_EQ(batch.requests(1).condition().name(), "oh");
  EXPECT_EQ(batch.requests(1).condition().type(), Condition::VISEME);
  EXPECT_EQ(batch.requests(2).condition().type(), Condition::EMOTION);
  EXPECT_EQ(batch.requests(3).condition().type(), Condition::CUSTOM);

  const auto arrays = Unzip(Bytes(File("out.npz")));
  EXPECT_THAT(arrays,
              ElementsAre(Key("Joy.npy"), Key("aa.npy"), Key("jawOpen.npy"), Key("oh.npy")));
  const std::vector<float> vertices = FourVectors(Bytes(File("vertices.npy")));
  std::vector<float> half = vertices;
  for (float& value : half) value *= 0.5f;
  EXPECT_THAT(half, ::testing::Contains(0.005f));
  for (const auto& [name, npy] : arrays) EXPECT_EQ(FourVectors(npy), half) << name;
}

TEST_F(BatchTest, SetsAndTheDefault) {
  const auto count = [&](const std::vector<std::string>& sets) {
    std::vector<std::string> arguments = {File("face.obj"), "-o", File("out.npz")};
    arguments.insert(arguments.end(), sets.begin(), sets.end());
    const Ended ended = Batch(arguments);
    EXPECT_EQ(ended.code, ExitCode::kOk) << ended.err;
    return Unzip(Bytes(File("out.npz"))).size();
  };
  EXPECT_EQ(count({}), 15u + 7u);
  EXPECT_EQ(count({"--set", "visemes,emotions,arkit"}), 15u + 7u + 52u);
  EXPECT_EQ(count({"--set", "arkit"}), 52u);
}

TEST_F(BatchTest, JsonHasOffsetsMetadataAndErrors) {
  FailItem(1);
  const Ended ended =
      Batch({File("face.obj"), "-o", File("out.json"), "--only", "aa,oh", "--json", "--quiet"});
  EXPECT_EQ(ended.code, ExitCode::kFailed);
  EXPECT_EQ(ended.err, "blendwire: oh: no such luck\n");
  const auto json = nlohmann::json::parse(Bytes(File("out.json")));
  EXPECT_EQ(json["vertex_count"], 4);
  ASSERT_THAT(json["expressions"], SizeIs(2));
  const auto& aa = json["expressions"][0];
  EXPECT_EQ(aa["expression"], "aa");
  EXPECT_EQ(aa["kind"], "viseme");
  EXPECT_EQ(aa["ok"], true);
  EXPECT_EQ(aa["metadata"]["execution_provider"], "FakeProvider");
  ASSERT_THAT(aa["offsets"], SizeIs(4));
  EXPECT_EQ(aa["offsets"][1], nlohmann::json::array({0.01, -0.01, 0.0}));
  EXPECT_EQ(json["expressions"][1]["ok"], false);
  EXPECT_EQ(json["expressions"][1]["error"], "no such luck");

  const auto summary = nlohmann::json::parse(ended.out);
  EXPECT_EQ(summary["file_bytes"], std::filesystem::file_size(File("out.json")));
  EXPECT_FALSE(summary["expressions"][0].contains("offsets"));
}

TEST_F(BatchTest, AFailedExpressionIsLeftOutOfTheArchive) {
  FailItem(1);
  const Ended ended = Batch({File("face.obj"), "-o", File("out.npz"), "--only", "aa,oh,ou"});
  EXPECT_EQ(ended.code, ExitCode::kFailed);
  EXPECT_THAT(ended.err, HasSubstr("blendwire: oh: no such luck\n"));
  EXPECT_THAT(ended.out, HasSubstr("2 of 3 expressions"));
  EXPECT_THAT(Unzip(Bytes(File("out.npz"))), ElementsAre(Key("aa.npy"), Key("ou.npy")));
}

TEST_F(BatchTest, WhereAllFailThereIsNoFile) {
  FailItem(-1);
  const Ended ended = Batch({File("face.obj"), "-o", File("out.npz"), "--only", "aa,oh"});
  EXPECT_EQ(ended.code, ExitCode::kFailed);
  EXPECT_THAT(ended.err, HasSubstr("aa: no such luck"));
  EXPECT_THAT(ended.err, HasSubstr("oh: no such luck"));
  EXPECT_FALSE(std::filesystem::exists(File("out.npz")));
}

TEST_F(BatchTest, CtrlCEndsTheRunWithoutAFile) {
  service_.before_item = [this](grpc::ServerContext&, int index) {
    if (index == 1) cancellation_.Cancel();
    return grpc::Status::OK;
  };
  const Ended ended = Batch({File("face.obj"), "-o", File("out.npz")});
  EXPECT_EQ(ended.code, ExitCode::kInterrupted);
  EXPECT_THAT(ended.err, HasSubstr("blendwire: interrupted\n"));
  EXPECT_FALSE(std::filesystem::exists(File("out.npz")));
}

TEST_F(BatchTest, WrongArgumentsAreOneLineAndCode2) {
  const std::vector<std::vector<std::string>> cases = {
      {"face.obj"},
      {"face.obj", "-o", "out.npy"},
      {"face.obj", "-o", File("missing/out.npz")},
      {"face.obj", "-o", "out.npz", "--vertices", "v.json"},
      {"face.obj", "-o", "out.npz", "--only", "jawwOpen"},
      {"face.obj", "-o", "out.npz", "--set", "animals"},
      {"face.obj", "-o", "out.npz", "--max-parallel", "-1"},
      {"face.npy", "-o", "out.npz", "--mesh", "Head"},
  };
  for (const auto& arguments : cases) {
    const Ended ended = Batch(arguments);
    EXPECT_EQ(ended.code, ExitCode::kUsage) << ::testing::PrintToString(arguments) << ended.err;
    EXPECT_THAT(ended.err, StartsWith("blendwire: "));
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  }
  EXPECT_THAT(service_.Seen(), IsEmpty());
}

// As numpy.save writes it: format 1.0, with the header's length after the version.
std::string Npy(const std::string& type, const std::string& shape, const std::string& data) {
  const std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  std::string npy("\x93NUMPY\x01\x00", 8);
  npy += static_cast<char>(header.size());
  npy += '\0';
  return npy + header + data;
}

TEST_F(BatchTest, AnArrayOfVerticesIsAMeshWithoutTriangles) {
  const double coordinates[] = {0.25, -0.5, 1.5, 0, 1, 2};
  const std::string data(reinterpret_cast<const char*>(coordinates), sizeof(coordinates));
  std::ofstream(folder_ / "mesh.npy", std::ios::binary) << Npy("<f8", "(2, 3)", data);
  const Ended ended = Batch({File("mesh.npy"), "-o", File("out.npz"), "--only", "aa"});
  ASSERT_EQ(ended.code, ExitCode::kOk) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("note: an .npy file has no triangles"));
  EXPECT_THAT(service_.LastBatch().vertices(), ElementsAre(0.25f, -0.5f, 1.5f, 0, 1, 2));
  EXPECT_EQ(service_.LastBatch().topology().triangles_size(), 0);
  const auto offsets = FromNpy(Unzip(Bytes(File("out.npz")))["aa.npy"]);
  ASSERT_TRUE(offsets.ok()) << offsets.status();
  EXPECT_THAT(*offsets, ElementsAre(0.25f, -0.5f, 1.5f, 0, 1, 2));
}

TEST_F(BatchTest, OtherArraysAreRefused) {
  const std::string six_floats(24, '\0');
  for (const std::string& npy :
       {std::string(), std::string("glTF"), Npy("<i4", "(2, 3)", six_floats),
        Npy(">f4", "(2, 3)", six_floats), Npy("<f4", "(3, 2)", six_floats),
        Npy("<f4", "(6,)", six_floats), Npy("<f4", "(3, 3)", six_floats),
        Npy("<f4", "(-2, 3)", six_floats), Npy("<f4", "(2, 3)", six_floats).substr(0, 30)}) {
    EXPECT_EQ(FromNpy(npy).status().code(), absl::StatusCode::kInvalidArgument) << npy;
  }
  EXPECT_TRUE(FromNpy(Npy("<f4", "(2, 3)", six_floats)).ok());
  std::ofstream(folder_ / "mesh.npy", std::ios::binary) << Npy("<f4", "(6,)", six_floats);
  const Ended ended = Batch({File("mesh.npy"), "-o", File("out.npz")});
  EXPECT_EQ(ended.code, ExitCode::kFailed);
  EXPECT_THAT(ended.err, HasSubstr("mesh.npy: the array is"));
  EXPECT_EQ(Batch({File("none.npy"), "-o", File("out.npz")}).code, ExitCode::kFailed);
}

}  // namespace
}  // namespace blendwire::cli
