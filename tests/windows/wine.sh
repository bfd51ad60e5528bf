# SPDX-License-Identifier: Apache-2.0
# Sourced: Debian's Wine, with a Windows of its own in .deps/wine, without windows and messages.

# /usr/bin/wine would complain that there is no Wine for 32 bits.
wine=/usr/lib/wine/wine64
export WINEPREFIX=${WINEPREFIX:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.deps/wine}
export WINEARCH=win64 WINEDEBUG=${WINEDEBUG:--all} WINEDLLOVERRIDES='mscoree,mshtml='
# For tests: a library of Wine's that is to be missing.
if [ -n "${BLENDWIRE_TEST_WITHOUT_DLL:-}" ]; then
  WINEDLLOVERRIDES="$WINEDLLOVERRIDES;$BLENDWIRE_TEST_WITHOUT_DLL="
fi
# Windows keeps names in Unicode; Wine takes them for what the locale says.
export LC_ALL=C.UTF-8
unset DISPLAY
