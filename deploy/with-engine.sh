#!/usr/bin/env bash
# Runs a command with a Docker engine and a base image for our Dockerfile:  deploy/with-engine.sh make test-docker
#
# Where no engine answers, one is started for as long as the command runs, with data of its own in build/docker. That takes
# root and Debian's packages docker.io and debootstrap. Where the usual base image cannot be pulled, one is made of
# Debian's packages; it trusts the certificate authorities that this machine trusts and uses its pip settings.
# The command gets DOCKER_HOST and WATERCOOLER_TEST_BASE (the base image's name).
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "with-engine: $*" >&2; }
home=$PWD/build/docker
usual=python:3.11-slim
own=watercooler-base:bookworm

stop_engine() {
  kill "$engine" 2>/dev/null && wait "$engine" 2>/dev/null
  return 0
}

start_engine() {
  command -v dockerd >/dev/null || { say "no Docker engine answers and there is no dockerd to start; apt-get install docker.io"; exit 1; }
  [ "$(id -u)" = 0 ] || { say "no Docker engine answers, and starting one takes root"; exit 1; }
  mkdir -p "$home"
  export DOCKER_HOST=unix://$home/docker.sock
  dockerd --data-root "$home/data" --exec-root "$home/exec" --pidfile "$home/docker.pid" -H "$DOCKER_HOST" \
    >"$home/dockerd.log" 2>&1 &
  engine=$!
  trap stop_engine EXIT
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && return
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.5
  done
  say "the Docker engine did not start; the last lines of build/docker/dockerd.log:"
  tail -5 "$home/dockerd.log" >&2
  exit 1
}

make_base() {
  docker image inspect "$own" >/dev/null 2>&1 && return
  command -v debootstrap >/dev/null || { say "$usual cannot be pulled, and there is no debootstrap; apt-get install debootstrap"; exit 1; }
  say "$usual cannot be pulled: making $own of Debian's packages, about a minute"
  mkdir -p "$home"
  rm -rf "$home/base"
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,git bookworm "$home/base" >"$home/debootstrap.log"
  cp /etc/ssl/certs/ca-certificates.crt "$home/base/etc/ssl/certs/"
  if [ -f /etc/pip.conf ]; then cp /etc/pip.conf "$home/base/etc/"; fi
  tar -C "$home/base" -c . | docker import - "$own" >/dev/null
  rm -rf "$home/base"
}

docker info >/dev/null 2>&1 || start_engine
if [ -z "${WATERCOOLER_TEST_BASE:-}" ]; then
  if docker image inspect "$usual" >/dev/null 2>&1 || timeout 300 docker pull -q "$usual" >/dev/null 2>&1; then
    WATERCOOLER_TEST_BASE=$usual
  else
    make_base
    WATERCOOLER_TEST_BASE=$own
  fi
fi
export WATERCOOLER_TEST_BASE
"$@"
