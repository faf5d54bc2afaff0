# syntax=docker/dockerfile:1
#
#   docker build -t headtower .
#   docker buildx build --platform linux/amd64,linux/arm64 -t REGISTRY/headtower:0.1.0 --push .

# Build: on the builder's own processor, for the other one too, since .NET does not run under QEMU.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG TARGETARCH
WORKDIR /source

# The packages that the lock file names, for every processor at once: this layer stays until a dependency changes.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY Gateway/Gateway.csproj Gateway/packages.lock.json Gateway/
RUN dotnet restore Gateway --locked-mode

COPY .editorconfig BannedSymbols.txt routes.yaml ./
COPY Gateway/ Gateway/
COPY deploy/ deploy/
RUN dotnet publish Gateway -c Release -a $TARGETARCH --no-self-contained --no-restore -o /app
RUN install -d -m 0770 /data/headtower

# Run: no shell, no package manager, no root, nothing to write but /var/lib/headtower.
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiselled
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="headtower" \
      org.opencontainers.image.description="An authenticating gateway in front of Headscale" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build --chown=$APP_UID:0 /data/ /var/lib/
COPY --from=build /app /app
# gcServer=0: one small heap instead of one for each core.
ENV HEADTOWER_CONFIG=/etc/headtower/headtower.yaml \
    DOTNET_EnableDiagnostics=0 \
    DOTNET_gcServer=0 \
    PATH="/app:$PATH"
USER $APP_UID
EXPOSE 3000
VOLUME /var/lib/headtower
# The image has no wget. Each check starts the program anew, so they are rare once the gateway answers.
HEALTHCHECK --interval=2m --timeout=10s --start-period=60s --start-interval=3s CMD ["/app/gateway", "healthcheck"]
ENTRYPOINT ["/app/gateway"]
CMD ["serve"]
