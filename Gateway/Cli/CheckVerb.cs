using System.CommandLine;
using Gateway.Identity.Oidc;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Store.Postgres;

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

        IReadOnlyList<string> fine = [];
        var (configuration, problems, _) = files.Load();
        if (configuration is not null)
        {
            if (!configuration.Settings.Headscale.ServesPeople)
            {
                problems.Warn(
                    $"{files.Config}: headscale.api_key",
                    "not set, nor is headscale.socket; only Tailscale clients and callers with a key of their own are served");
            }

            WarnOfSecrets(files, problems);
            StartProblems.Find(configuration, files.Config, problems);
            await CheckStoreAsync(configuration.Settings, problems, cancel);
            if (parsed.GetValue(_online))
            {
                fine = await OnlineChecks.FindAsync(configuration, files.Config, problems, cancel);
            }

            fine = [.. WhatIsSet(configuration, files), .. fine];
        }

        if (parsed.GetValue(CommandLine.Json))
        {
            Output.Json(new CheckLine(problems.Errors.Count == 0, problems.Errors, problems.Warnings), CliJson.Default.CheckLine);
        }
        else
        {
            ProblemList.OfConsole(files.Config).Print(problems, fine);
            if (configuration is { Settings: { Oidc: not null } settings })
            {
                Console.WriteLine($"Redirect address to register at the sign-in provider: {RedirectAddress.Of(settings)}");
            }
        }

        return problems.Errors.Count == 0 ? Output.Fine : Output.Failed;
    }

    /// <summary>What the gateway would do, for whoever has set it up.</summary>
    private static IEnumerable<string> WhatIsSet(Configuration configuration, ConfigurationFiles files)
    {
        var (settings, table) = (configuration.Settings, configuration.Table);
        yield return $"{files.Config} is understood; the policy has {table.Rules.Count} rows for {table.Roles.Count} roles";
        yield return $"listens on {string.Join(", ", settings.Server.Listen.Select(one => one.Label))}, and is visited at "
            + $"{settings.Server.BaseUrl?.ToString() ?? "any name"}";
        yield return $"Headscale is {settings.Headscale.Url.GetLeftPart(UriPartial.Authority)}, its API by "
            + (settings.Headscale.Socket ?? "its key");
        yield return $"people come in {string.Join(" and ", WaysIn(settings))}";
    }

    private static IEnumerable<string> WaysIn(GatewaySettings settings)
    {
        if (settings.Oidc is { } oidc)
        {
            yield return $"by OpenID Connect at {oidc.Issuer}";
        }

        if (settings.Server.ProxyAuth is { } proxy)
        {
            yield return $"by {proxy.IdentityHeaders.First()} of a proxy";
        }

        if (settings is { Oidc: null, Server.ProxyAuth: null })
        {
            yield return "with a key of Headscale alone";
        }
    }

    private static void WarnOfSecrets(ConfigurationFiles files, Problems problems)
    {
        foreach (var (place, secretFile) in OpenSecrets.FindFiles(files.Config, files.Environment))
        {
            problems.Warn(place, $"everybody on this machine may read {secretFile}; close it with: chmod 600 {secretFile}");
        }

        foreach (var secret in OpenSecrets.Find(files.Config))
        {
            problems.Warn(
                secret,
                $"everybody on this machine may read this secret; close the file (chmod 640) or put the secret into a file of its "
                + $"own ({secret[(secret.LastIndexOf('.') + 1)..]}_path)");
        }
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

            if (PrivateFiles.WhyNeverWritable(settings.Server.DataPath) is { } impossible)
            {
                problems.Add("server.data_path", impossible);
            }
            else if (!PrivateFiles.IsWritable(settings.Server.DataPath))
            {
                problems.Warn(
                    "server.data_path", $"{settings.Server.DataPath} cannot be written by this user; the gateway's own must be able to");
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
}
