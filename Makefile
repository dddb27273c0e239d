# SPDX-License-Identifier: Apache-2.0
# For fingers that type make; Meson does the work (CONTRIBUTING.md).
.PHONY: all demo check install
all:
	@test -d build || meson setup build
	@meson compile -C build
demo check:
	@./scripts/$@
install: all
	@meson install -C build
