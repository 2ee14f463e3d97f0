# The service, and every command of `projector`:
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" -t neon-projector .
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements-build.lock requirements-runtime.lock ./
RUN python -m venv --without-pip /opt/projector \
 && pip --python /opt/projector/bin/python install --require-hashes --only-binary :all: -r requirements-runtime.lock \
 && pip install --require-hashes --only-binary :all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY models models
COPY projections projections
COPY consumer consumer
COPY migrations migrations
COPY docs/contract/vectors docs/contract/vectors
COPY docs/runbook.md docs/operations.md docs/errors.md docs/neon.md docs/
COPY neon_projector/__init__.py neon_projector/py.typed neon_projector/
RUN python -m hatchling build -t wheel -d dist \
 && pip --python /opt/projector/bin/python install --no-deps --no-index dist/*.whl

FROM python:${PYTHON}
# What installs packages is not needed any more: nothing can be added to a running container with it.
RUN rm -rf /usr/local/bin/pip* /usr/local/bin/wheel \
      /usr/local/lib/python3.*/ensurepip /usr/local/lib/python3.*/site-packages/*
# For the undo files of `projector rebuild`: a new volume that is mounted here can be written by the image's user.
RUN install -d -o 10001 -g 10001 -m 700 /undo
COPY --from=build /opt/projector /opt/projector
ARG REVISION=unknown
ENV PATH=/opt/projector/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PROJECTOR_REVISION=${REVISION}
LABEL org.opencontainers.image.title="Neon Projector" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
USER 10001:10001
WORKDIR /
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=6 \
  CMD ["python", "-ISc", "import os; from http.client import HTTPConnection as C; c = C('127.0.0.1', int(os.environ.get('HTTP_PORT') or 8080), timeout=3); c.request('GET', '/health/live'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["projector"]
CMD ["run"]
