# Two commands do everything: `make run` and `make test`. What they do stands in .ci/.
.PHONY: help run example test check bench screens fuzz

help:
	@echo "make run      opens Kiez: its window, or without a display a page for the browser"
	@echo "make test     all checks and all tests"
	@echo "make check    all checks: page, format, spelling, licences, lints, documentation"
	@echo "make example  founds an example neighbourhood on the command line and shows it"
	@echo "make bench    the measured ratios"
	@echo "make fuzz     looks for bytes that make a decoder fail, ten minutes each"
	@echo "make screens  pictures of every place of the window and the page, into ui/shots/"

run:
	@.ci/open

example:
	@.ci/example

test:
	@.ci/test

check:
	@.ci/check

bench:
	@.ci/bench

screens:
	@.ci/screens

fuzz:
	@.ci/fuzz
