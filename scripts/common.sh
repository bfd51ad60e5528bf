# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts beside it; sourced, not run.

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

# fail WHAT-HAPPENED WHAT-TO-DO
fail() {
  printf '\nblendwire: %s.\n  What to do: %s.\n' "$1" "$2" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else
    command -v sudo > /dev/null || fail "packages must be installed and this is not root" \
      "install sudo, or run scripts/setup as root once"
    sudo "$@"
  fi
}

distribution_codename() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }
is_ubuntu() { (. /etc/os-release && [ "${ID:-}" = ubuntu ]); }
# The release of this distribution whose ONNX Runtime headers are used.
header_suite() { if is_ubuntu; then echo questing; else echo trixie; fi; }
distribution_keyring() {
  if is_ubuntu; then echo /usr/share/keyrings/ubuntu-archive-keyring.gpg
  else echo /usr/share/keyrings/debian-archive-keyring.gpg; fi
}

# build_preset NAME [TARGET...]: configures and builds; Ninja shows the progress.
build_preset() {
  local preset=$1
  shift
  if [ ! -e "build/$preset/build.ninja" ]; then
    say "Configuring ($preset)"
    cmake --preset "$preset" > "build-configure.log" 2>&1 || {
      tail -n 20 build-configure.log >&2
      fail "CMake could not configure the build" "mend what it says above; scripts/setup installs what is needed"
    }
    rm -f build-configure.log
  fi
  say "Building ($preset)"
  cmake --build --preset "$preset" ${@:+--target "$@"} ||
    fail "the build failed" "see the compiler's message above"
}

# The sanitizers' and the fuzzer's runtime is a package of its own, named after clang's version.
install_clang() {
  local program='extern "C" int LLVMFuzzerTestOneInput(const char*, long) { return 0; }'
  works() { echo "$program" | clang++ -fsanitize=fuzzer,address -x c++ - -o /dev/null 2> /dev/null; }
  apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@" \
      > /dev/null || fail "$* could not be installed" "see what apt-get says above"
  }
  if ! works; then
    say "Installing clang"
    as_root apt-get -q update > /dev/null || fail "apt-get update failed" "see what it says above"
    apt_get clang
    apt_get "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
    works || fail "clang cannot build fuzzers" "install its compiler-rt libraries"
  fi
}

# locked_environment NAME LOCK: a virtual environment .deps/NAME, made anew when its lock changes.
locked_environment() {
  local folder=.deps/$1 lock=$2 stamp
  stamp=$folder/.complete-$(sha256sum "$lock" | cut -c1-16)
  [ ! -e "$stamp" ] || return 0
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" -q --disable-pip-version-check install --require-hashes -r "$lock" ||
    fail "what $lock names could not be installed" "check the network, then run this again"
  touch "$stamp"
}
