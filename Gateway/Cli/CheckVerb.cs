using System.CommandLine;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity.Oidc;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Store.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Cli;

/// <summary><c>gateway check</c>: every problem at once, nothing changed.</summary>
internal static class CheckVerb
{
    private static readonly Option<bool> _online = new("--online")
    {
        Description = "also ask Headscale and the sign-in provider whether they are there and take us",
    };

    public static Command Create()
    {
        var verb = new Command("check", "Find every problem in configuration, policy and store.") { _online, CommandLine.Json };
        verb.SetAction(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        if (ConfigurationFiles.Find(parsed.GetValue(CommandLine.Config), parsed.GetValue(CommandLine.Routes),
            out var complaint) is not { } files)
        {
            return Output.Fail(complaint);
        }

        var (configuration, problems, _) = files.Load();
        if (configuration is not null)
        {
            if (!configuration.Settings.Headscale.ServesPeople)
            {
                problems.Warn(
                    $"{files.Config}: headscale.api_key",
                    "not set, nor is headscale.socket; only Tailscale clients and callers with a key of their own are served");
            }

            foreach (var secret in OpenSecrets.Find(files.Config))
            {
                problems.Warn(
                    secret,
                    $"everybody on this machine may read this secret; close the file (chmod 640) or put the secret into a file of its "
                    + $"own ({secret[(secret.LastIndexOf('.') + 1)..]}_path)");
            }

            StartProblems.Find(configuration, files.Config, problems);
            await CheckStoreAsync(configuration.Settings, problems, cancel);
            if (parsed.GetValue(_online))
            {
                await CheckHeadscaleAsync(configuration, files.Config, problems, cancel);
                await CheckProviderAsync(configuration, files.Config, problems, cancel);
            }
        }

        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json(new CheckLine(problems.Errors.Count == 0, problems.Errors, problems.Warnings), CliJson.Default.CheckLine);
        }
        else
        {
            Print(problems);
            if (configuration is { Settings: { Oidc: not null } settings })
            {
                Console.WriteLine($"Redirect address to register at the sign-in provider: {RedirectAddress.Of(settings)}");
            }
        }

        return problems.Errors.Count == 0 ? Output.Fine : Output.Failed;
    }

    private static void Print(Problems problems)
    {
        foreach (var error in problems.Errors)
        {
            Console.WriteLine($"error: {error}");
        }

        foreach (var warning in problems.Warnings)
        {
            Console.WriteLine($"warning: {warning}");
        }

        Console.WriteLine(problems.Errors.Count == 0 ? "The configuration is fine." : $"{problems.Errors.Count} problem(s) found.");
    }

    private static async Task CheckStoreAsync(GatewaySettings settings, Problems problems, CancellationToken cancel)
    {
        var file = settings.Store.File;
        try
        {
            switch (settings.Store)
            {
                case { Kind: StoreKind.Postgres, Connection: { } connection }:
                    if (await PostgresServer.InspectAsync(connection, cancel) == 0)
                    {
                        problems.Warn("store.connection", "the database has no tables of the gateway yet; the first start makes them");
                    }

                    break;
                case { Kind: StoreKind.LiteDb }:
                    if (!LiteDbDocumentStore.Inspect(file))
                    {
                        problems.Warn(file, "does not exist yet and will be made at the first start");
                    }

                    break;
                default:
                    CheckSqlite(file, problems);
                    break;
            }

            if (PrivateFiles.Complaint(settings.Server.DataPath) is { } open)
            {
                problems.Warn("server.data_path", open);
            }
        }
        catch (StoreException e)
        {
            problems.Add("store", e.Message);
        }
    }

    private static void CheckSqlite(string file, Problems problems)
    {
        switch (SqliteFile.Inspect(file))
        {
            case 0:
                problems.Warn(file, "does not exist yet and will be made at the first start");
                break;
            case var schema and < SqliteUpgrade.Version:
                problems.Warn(
                    file,
                    $"is of an earlier gateway (schema {schema}); the next start brings it up to date and keeps the old one as "
                    + $"{file}.schema{schema}");
                break;
        }
    }

    private static async Task CheckProviderAsync(Configuration configuration, string file, Problems problems, CancellationToken cancel)
    {
        if (configuration.Settings.Oidc is null)
        {
            return;
        }

        var monitor = new ConfigurationMonitor(configuration);
        using var http = new ProviderHttp(monitor);
        using var provider = new Provider(monitor, http, TimeProvider.System, NullLogger<Provider>.Instance);
        try
        {
            await provider.GetConfigurationAsync(cancel);
        }
        catch (SignInException e)
        {
            problems.Add($"{file}: oidc", e.Message);
        }

        if (provider.Status is { Configuration: not null, Trouble: { } trouble })
        {
            problems.Add($"{file}: oidc", trouble);
        }
    }

    private static async Task CheckHeadscaleAsync(Configuration configuration, string file, Problems problems, CancellationToken cancel)
    {
        var monitor = new ConfigurationMonitor(configuration);
        using var client = HeadscaleClient.Of(monitor);
        using var watch = new UpstreamMonitor(
            client, monitor, new UpstreamConnections(), TimeProvider.System, NullLogger<UpstreamMonitor>.Instance);
        var status = await watch.RefreshAsync(cancel);
        var settings = configuration.Settings.Headscale;
        if (client.SocketTrouble is { } trouble && settings.ApiKey is null)
        {
            problems.Add($"{file}: headscale.socket", trouble);
        }
        else if (!status.IsReachable)
        {
            problems.Add($"{file}: headscale.url", $"{status.Detail}; is Headscale running, and is this its address?");
        }
        else if (status.Key is KeyState.Rejected)
        {
            problems.Add($"{file}: headscale.api_key", Refusals.TextOf(new(Reason.UpstreamKeyRejected)));
        }
        else if (status.KeyExpiresSoon(TimeProvider.System.GetUtcNow()))
        {
            problems.Warn($"{file}: headscale.api_key", $"expires {status.KeyExpires:u}; create a new one");
        }

        if (status.Version is { IsKnown: false } version)
        {
            problems.Warn($"{file}: headscale.url", $"Headscale {version} is not known to this gateway and treated like {version.Known}");
        }

        if (settings is { Socket: null, Url.IsLoopback: true } && SocketAccess.Find() is { } found)
        {
            problems.Warn(
                $"{file}: headscale.socket",
                $"not set, and Headscale's socket is at {found}: with it no API key is needed, and calls take a fraction of the time");
        }
        else if (client.SocketTrouble is { } absent && settings.ApiKey is not null)
        {
            problems.Warn($"{file}: headscale.socket", $"{absent}; headscale.api_key serves in its place");
        }
    }
}
