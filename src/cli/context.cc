// SPDX-License-Identifier: Apache-2.0

#include "cli/context.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "client/managed_server.h"
#include "system/files.h"
#include "system/private_file.h"

namespace blendwire::cli {
namespace {

absl::string_view AdviceFor(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
      return "start blendwire-server, or name a running one with --server";
    case absl::StatusCode::kUnauthenticated:
      return "give the server's token with --token-file";
    case absl::StatusCode::kResourceExhausted:
      return "try again when the server is less busy, or with a smaller mesh";
    case absl::StatusCode::kDeadlineExceeded:
      return "allow more time with --timeout";
    default:
      return "";
  }
}

absl::StatusOr<std::string> ReadToken(const std::string& file) {
  if (file.empty()) return std::string();
  const std::filesystem::path path = system::PathFromUtf8(file);
  if (absl::Status s = system::CheckPrivateFile(path); !s.ok()) return s;
  std::ifstream in(path, std::ios::binary);
  std::string line;
  if (!std::getline(in, line)) {
    return absl::InvalidArgumentError(absl::StrCat("the token file ", file, " is empty"));
  }
  return std::string(absl::StripAsciiWhitespace(line));
}

// Whatever keeps a private server from starting, this program then has no server.
absl::Status AsNoServer(const absl::Status& status) {
  if (absl::IsCancelled(status)) return status;
  return absl::UnavailableError(absl::StrCat("cannot start a private server: ", status.message()));
}

}  // namespace

ExitCode Context::Fail(const absl::Status& status, absl::string_view advice) const {
  if (absl::IsCancelled(status) && cancellation.cancelled()) {
    err << "blendwire: interrupted" << std::endl;
    return ExitCode::kInterrupted;
  }
  // The error itself is one line; the end of a server's log may follow it.
  const absl::string_view message = absl::StripAsciiWhitespace(status.message());
  const size_t line_end = std::min(message.find('\n'), message.size());
  if (advice.empty()) advice = AdviceFor(status.code());
  err << "blendwire: " << message.substr(0, line_end);
  if (!advice.empty()) err << "; " << advice;
  err << absl::StrReplaceAll(message.substr(line_end), {{"\n", "\n  "}}) << std::endl;
  return ExitCodeOf(status);
}

ExitCode Context::FailUsage(absl::string_view what) const {
  err << "blendwire: " << what << "; see blendwire --help" << std::endl;
  return ExitCode::kUsage;
}

CallOptions Context::call() const {
  CallOptions options;
  options.cancellation = cancellation;
  return options;
}

absl::StatusOr<Session> OpenSession(const ServerChoice& choice, const Cancellation& cancellation) {
  ClientOptions options;
  options.timeout = absl::Seconds(choice.timeout_seconds);
  std::shared_ptr<ManagedServer> server;
  if (choice.address.empty()) {
    ManagedServerOptions server_options;
    if (!choice.model_file.empty()) {
      // The server may have another current folder one day; its arguments must not depend on it.
      server_options.arguments = {
          "--model",
          system::ToUtf8(std::filesystem::absolute(system::PathFromUtf8(choice.model_file)))};
    }
    absl::StatusOr<ManagedServer> started =
        ManagedServer::Start(std::move(server_options), cancellation);
    if (!started.ok()) return AsNoServer(started.status());
    server = std::make_shared<ManagedServer>(*std::move(started));
    options = server->client_options(options);
  } else {
    absl::StatusOr<std::string> token = ReadToken(choice.token_file);
    if (!token.ok()) return token.status();
    options.address = choice.address;
    options.token = *std::move(token);
  }
  absl::StatusOr<Client> client = Client::Create(options);
  if (!client.ok()) return client.status();
  return Session{*std::move(client), std::move(server)};
}

}  // namespace blendwire::cli
