using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity.Oidc;
using Gateway.Policy;
using Gateway.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Cli;

/// <summary>Whether Headscale and the sign-in provider are there and take us, asked now.</summary>
internal static class OnlineChecks
{
    /// <param name="file">The file that is named as the place of a problem.</param>
    /// <returns>What was found to be fine, in words.</returns>
    public static async Task<IReadOnlyList<string>> FindAsync(
        Configuration configuration, string file, Problems problems, CancellationToken cancel)
    {
        var fine = new List<string>();
        if (await CheckHeadscaleAsync(configuration, file, problems, cancel) is { } headscale)
        {
            fine.Add(headscale);
        }

        if (await CheckProviderAsync(configuration, file, problems, cancel) is { } provider)
        {
            fine.Add(provider);
        }

        return fine;
    }

    private static async Task<string?> CheckProviderAsync(
        Configuration configuration, string file, Problems problems, CancellationToken cancel)
    {
        if (configuration.Settings.Oidc is null)
        {
            return null;
        }

        var (before, monitor) = (problems.Errors.Count, new ConfigurationMonitor(configuration));
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

        return problems.Errors.Count == before ? $"the provider {configuration.Settings.Oidc.Issuer} is there" : null;
    }

    private static async Task<string?> CheckHeadscaleAsync(
        Configuration configuration, string file, Problems problems, CancellationToken cancel)
    {
        var (before, monitor) = (problems.Errors.Count, new ConfigurationMonitor(configuration));
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
            var isSocket = settings.Socket is { } socket && status.Detail?.StartsWith(socket, StringComparison.Ordinal) is true;
            problems.Add(
                $"{file}: headscale.{(isSocket ? "socket" : "url")}",
                $"{status.Detail}; is Headscale running, and is this its {(isSocket ? "socket" : "address")}?");
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

        return problems.Errors.Count > before ? null
            : $"Headscale {status.Found} answers" + (client.SocketTrouble is null && settings.Socket is not null ? " at its socket"
                : status.Key is KeyState.Valid ? $"; the API key is valid until {status.KeyExpires:yyyy-MM-dd}"
                : "");
    }
}
