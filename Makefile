# Two commands do everything: `make run` and `make test`. What they do stands in .ci/.
.PHONY: help run test check bench

help:
	@echo "make run    founds an example neighbourhood and shows it"
	@echo "make test   all checks and all tests"
	@echo "make check  all checks: format, spelling, licences, lints, documentation"
	@echo "make bench  the measured ratios"

run:
	@.ci/example

test:
	@.ci/test

check:
	@.ci/check

bench:
	@.ci/bench
