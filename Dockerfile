# Build: the same commands as everywhere, with the packages that the lock files name.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY .editorconfig global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt routes.yaml ./
COPY Gateway/ Gateway/
COPY deploy/ deploy/
RUN dotnet restore Gateway --locked-mode
RUN dotnet publish Gateway -c Release --no-restore -o /app

# Run: no compiler, no root, nothing to write but /var/lib/headtower.
FROM mcr.microsoft.com/dotnet/aspnet:10.0
RUN install -d -o $APP_UID -g 0 -m 0770 /var/lib/headtower
COPY --from=build /app /app
ENV HEADTOWER_CONFIG=/etc/headtower/headtower.yaml \
    DOTNET_EnableDiagnostics=0 \
    PATH="/app:$PATH"
USER $APP_UID
EXPOSE 3000
VOLUME /var/lib/headtower
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["/app/gateway", "healthcheck"]
ENTRYPOINT ["/app/gateway"]
CMD ["serve"]
