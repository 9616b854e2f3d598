#!/bin/sh
# SPDX-License-Identifier: MIT
# After `meson install`: let programs find the library at once. Only root may, and only there is it needed.
[ "$(id -u)" -ne 0 ] || ! command -v ldconfig >/dev/null || ldconfig
