# The commands of this project; `make help` lists them.
SHELL := /bin/bash
JOBS ?= 2
export JOBS
.NOTPARALLEL:
.PHONY: help setup build test demo dist format lint clean

help:
	@echo 'make setup    install what is missing: system packages, libtorch'
	@echo '              DEVICE=cuda adds what CUDA needs (2 GB more);'
	@echo '              TORCH_HOME=FOLDER uses a libtorch that is there;'
	@echo '              VERIFY=1 compares every installed file'
	@echo 'make demo     setup, build, and a 5-second video'
	@echo 'make test     setup, lint, build and every test;'
	@echo '              FILTER=REGEX runs some tests only'
	@echo 'make build    .build/release/framepack'
	@echo 'make dist     a folder that runs where nothing is installed'
	@echo 'make format   lay the Swift sources out as the project does'
	@echo 'make lint     check their layout and the import rules'
	@echo 'make clean    remove what was built; the libtorch cache stays'
	@echo 'JOBS=N sets how many compilers run at a time (2)'

setup:
	@Tools/setup/setup.sh

build:
	swift build -c release -j $(JOBS)

test:
	@Tools/test.sh

demo:
	@Tools/demo.sh

dist:
	@Tools/dist.sh

format:
	swift format -i --parallel --recursive Package.swift Sources Tests \
		Benchmarks/Package.swift Benchmarks/Sources

lint:
	swift format lint --strict --parallel --recursive Package.swift Sources Tests \
		Benchmarks/Package.swift Benchmarks/Sources
	Tools/check-imports.sh

clean:
	rm -rf .build dist output
