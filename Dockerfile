# syntax=docker/dockerfile:1
# The API and the worker, without embedded PostgreSQL and without build tools. See compose.yaml.
# Target `backup` is the same with PostgreSQL's client programs (and the Perl that Debian's package brings): what faces
# the network has no use for them. Debian 13 packages PostgreSQL 17, the server's version in compose.yaml.

FROM python:3.11-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/samaki
COPY requirements/build.lock requirements/run.lock /tmp/
# Everything by hash, what builds the few packages without a wheel included; then the tools leave again.
RUN /opt/samaki/bin/pip install --require-hashes --requirement /tmp/build.lock \
    && /opt/samaki/bin/pip install --require-hashes --no-build-isolation --requirement /tmp/run.lock \
    && /opt/samaki/bin/pip uninstall --yes setuptools pip

FROM python:3.11-slim-trixie AS base
RUN groupadd --system --gid 10001 samaki \
    && useradd --system --uid 10001 --gid samaki --no-create-home --shell /usr/sbin/nologin samaki \
    && install --directory --owner samaki --group samaki --mode 0700 /var/lib/samaki
COPY --from=build /opt/samaki /opt/samaki
WORKDIR /srv/samaki
COPY alembic.ini ./
COPY migrations ./migrations
COPY app ./app
ENV PATH=/opt/samaki/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SAMAKI_DATA_DIR=/var/lib/samaki \
    SAMAKI_HOST=0.0.0.0
USER 10001:10001
VOLUME /var/lib/samaki
ENTRYPOINT ["python", "-m", "app"]

FROM base AS backup
USER root
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client-17 && rm -rf /var/lib/apt/lists/*
ENV SAMAKI_POSTGRESQL_PROGRAMS=/usr/lib/postgresql/17/bin
USER 10001:10001
CMD ["backup", "/backups/data", "--keys-to", "/backups/keys"]

# Last, so that it is what `docker build` makes.
FROM base AS service
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
CMD ["api"]
