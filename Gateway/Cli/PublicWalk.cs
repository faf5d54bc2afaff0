using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Identity.Oidc;
using Gateway.Settings;
using Gateway.Web.Control;

namespace Gateway.Cli;

/// <summary>What one step of a walk came to.</summary>
internal enum WalkResult
{
    /// <summary>It could not be looked at, since an earlier step failed.</summary>
    NotReached = 0,
    Fine,
    Warning,
    Wrong,
}

/// <summary>One step of a walk.</summary>
/// <param name="What">What was looked at.</param>
/// <param name="Advice">What is wrong, and where it is changed; empty where all is well.</param>
internal sealed record WalkStep(string What, WalkResult Result, string Advice = "");

/// <summary>
/// Goes the way of a client: by the public name, through the front, to the gateway and to Headscale. Nothing is changed, and nobody is
/// signed in.
/// </summary>
/// <param name="settings">What the gateway is set to.</param>
/// <param name="file">The file with the settings, for the advice.</param>
internal sealed class PublicWalk(GatewaySettings settings, string file) : IDisposable
{
    private readonly Uri _base = settings.Server.BaseUrl!;
    private readonly string _pages = settings.Server.BasePath;
    private readonly PublicAddress _address = new(settings.Server.BaseUrl!);

    /// <summary>Looks at each step in turn; the first ones decide whether the others can be reached.</summary>
    public async IAsyncEnumerable<WalkStep> GoAsync()
    {
        var name = await ResolveAsync();
        yield return name;
        var connection = name.Result is WalkResult.Wrong ? new("connection and certificate", WalkResult.NotReached) : await ConnectAsync();
        yield return connection;
        if (connection.Result is not WalkResult.Fine)
        {
            yield break;
        }

        foreach (var step in (Func<Task<WalkStep>>[])
            [LookAtClientPlaneAsync, LookForGatewayAsync, ForgeAsync, LookAtClientAddressAsync, UpgradeAsync, LookAtPagesAsync,
                LookAtProviderAsync, LookAtPlainAsync])
        {
            yield return await step();
        }
    }

    public void Dispose() => _address.Dispose();

    private async Task<WalkStep> ResolveAsync()
    {
        var what = $"{_base.Host} has an address";
        try
        {
            var found = await Dns.GetHostAddressesAsync(_base.Host);
            return new($"{what}: {string.Join(", ", found.Select(one => one.ToString()))}", WalkResult.Fine);
        }
        catch (SocketException e)
        {
            return new(what, WalkResult.Wrong, $"{e.Message}; make a DNS record for it, or correct server.base_url in {file}");
        }
    }

    private async Task<WalkStep> ConnectAsync()
    {
        var what = $"{_base.GetLeftPart(UriPartial.Authority)} answers"
            + (_base.Scheme == "https" ? " with a certificate that is trusted" : "");
        try
        {
            await using var stream = await _address.OpenAsync();
            return new(what, WalkResult.Fine);
        }
        catch (AuthenticationException e)
        {
            return new(
                what, WalkResult.Wrong, $"{e.Message.TrimEnd('.')}; correct the certificate in the front's file (ssl_certificate, tls)");
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            return new(what, WalkResult.Wrong, $"{e.Message.TrimEnd('.')}; is the front running, and does the name lead to it?");
        }
    }

    /// <summary>Tailscale clients ask for the key first, and cannot sign in.</summary>
    private async Task<WalkStep> LookAtClientPlaneAsync()
    {
        const string what = "Tailscale clients reach Headscale (the request for its key)";
        var (status, headers, text) = await _address.GetAsync(PublicRequests.Key);
        return status switch
        {
            200 when PublicRequests.IsKey(text) => new(what, WalkResult.Fine),
            301 or 302 or 303 or 307 or 401 or 403 => new(
                what, WalkResult.Wrong,
                $"the answer was {status}{LocationOf(headers)}: the front asks clients to sign in, which they "
                + "cannot; guard /admin and /api/ alone"),
            421 => new(what, WalkResult.Wrong, HostAdvice()),
            502 or 503 or 504 => new(
                what, WalkResult.Wrong,
                $"the answer was {status}: is the gateway running, does the front name its address, and is headscale.url in {file} right?"),
            508 => new(what, WalkResult.Wrong, $"headscale.url in {file} leads back to the gateway; name the address of Headscale itself"),
            _ => new(what, WalkResult.Wrong, $"the answer was {status}, and not Headscale's key: the front leads somewhere else"),
        };
    }

    /// <summary>The gateway says in JSON that somebody has to sign in; Headscale itself says one word.</summary>
    private async Task<WalkStep> LookForGatewayAsync()
    {
        const string what = "The API is answered by the gateway, with 401 for nobody";
        var (status, headers, text) = await _address.GetAsync(PublicRequests.Users);
        return status switch
        {
            401 when text.StartsWith('{') => new(what, WalkResult.Fine),
            401 when PublicRequests.IsRefusal(text) && headers.WwwAuthenticate.Count == 0 => new(
                what, WalkResult.Wrong, "Headscale answered by itself: the front passes by the gateway; let it lead everything to "
                    + string.Join(", ", settings.Server.Listen.Select(one => one.Label))),
            401 => new(what, WalkResult.Fine),
            421 => new(what, WalkResult.Wrong, HostAdvice()),
            >= 300 and < 400 => new(
                what, WalkResult.Warning,
                $"the answer was {status}{LocationOf(headers)}: programs expect 401; hand calls of /api/ without a session to the gateway"),
            200 => new(
                what, WalkResult.Wrong, "nobody was answered as somebody: the front adds a credential or an identity of its own"),
            _ => new(what, WalkResult.Wrong, $"the answer was {status}"),
        };
    }

    /// <summary>Whoever sends identity headers made them up; the front must remove them, or the gateway not believe them.</summary>
    private async Task<WalkStep> ForgeAsync()
    {
        const string what = "Identity headers that a client makes up are worth nothing";
        foreach (var path in (string[])[$"{_pages}/api/me", PublicRequests.Users])
        {
            var (status, _, text) = await _address.GetAsync(path, [.. settings.Server.ProxyAuth?.IdentityHeaders ?? [], "Remote-User"]);
            if (text.Contains(PublicAddress.Forged, StringComparison.Ordinal) || status == 200)
            {
                return new(
                    what, WalkResult.Wrong,
                    $"{path} answered {status} to a made-up identity: let the front remove "
                    + $"{string.Join(", ", settings.Server.ProxyAuth?.IdentityHeaders ?? [])} from what clients send, and let "
                    + $"server.proxy_auth.allowed_cidrs in {file} name the front alone");
            }
        }

        return new(what, WalkResult.Fine);
    }

    /// <summary>
    /// Rate limits, logs and the audit go by the client's address. The gateway tells over its control socket what arrived of it.
    /// </summary>
    private async Task<WalkStep> LookAtClientAddressAsync()
    {
        try
        {
            if (await AskAsync("arrival.expect") is not { Result: { } mark })
            {
                return ClientAddress.NotLookedAt("no gateway runs with this data folder; run this where it runs");
            }

            var (status, _, _) = await _address.GetAsync(
                $"{CaptivePortal.Path}?{Arrivals.Parameter}={mark.GetString()}", [(settings.Server.ClientHeader, ClientAddress.MadeUp)]);
            return await AskAsync("arrival.take") is { Error: null, Result: { } seen }
                && seen.Deserialize(ControlJson.Default.Arrival) is { } arrival
                    ? ClientAddress.Evaluate(arrival, settings.Server, _address.LastPort, file)
                    : ClientAddress.NotLookedAt($"{CaptivePortal.Path} answered {status} and did not come to this gateway");
        }
        catch (StoreException e)
        {
            return ClientAddress.NotLookedAt(e.Message);
        }
    }

    private Task<ControlAnswer?> AskAsync(string verb) => ControlClient.AskRunningAsync(settings, ControlClient.Request(verb), default);

    /// <summary>The first thing that a front breaks: upgrades (headscale #775).</summary>
    private async Task<WalkStep> UpgradeAsync()
    {
        const string what = "Tunnels are let through (upgrades)";
        try
        {
            using var patience = new CancellationTokenSource(PublicAddress.Patience);
            await using var stream = await _address.OpenAsync();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(PublicRequests.Tunnel(_base.Authority)), patience.Token);
            var buffer = new byte[1024];
            var length = await stream.ReadAtLeastAsync(buffer, "HTTP/1.1 101".Length, throwOnEndOfStream: false, patience.Token);
            var line = Encoding.Latin1.GetString(buffer, 0, length).Split("\r\n")[0];

            // Headscale answers 101, or 400 to a handshake that is none: either way it was asked for an upgrade.
            return line.Contains(" 101", StringComparison.Ordinal) || line.Contains(" 400", StringComparison.Ordinal)
                ? new(what, WalkResult.Fine)
                : new(
                    what, WalkResult.Wrong,
                    $"the answer was '{line}': the front drops Upgrade and Connection. nginx: proxy_http_version 1.1, proxy_set_header "
                    + "Upgrade $http_upgrade, proxy_set_header Connection $headtower_connection; Apache: upgrade=ANY; no HTTP/2 to the "
                    + "gateway");
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException or OperationCanceledException)
        {
            return new(what, WalkResult.Wrong, $"{e.Message.TrimEnd('.')}");
        }
    }

    private async Task<WalkStep> LookAtPagesAsync()
    {
        var what = $"The pages know that they are visited at {_base.GetLeftPart(UriPartial.Authority)}";
        var (status, headers, text) = await _address.GetAsync($"{_pages}/login");
        return status switch
        {
            421 => new(what, WalkResult.Wrong, HostAdvice()),
            200 when text.Contains("came over http", StringComparison.Ordinal) => new(
                what, WalkResult.Wrong,
                $"set X-Forwarded-Proto to https in the front, and name the front in server.trusted_proxies in {file}"),
            200 => new(what, WalkResult.Fine),
            >= 300 and < 400 or 401 => new($"The pages ask to sign in ({status}{LocationOf(headers)})", WalkResult.Fine),
            _ => new(what, WalkResult.Warning, $"{_pages}/login answered {status}"),
        };
    }

    private async Task<WalkStep> LookAtProviderAsync()
    {
        if (settings.Oidc is not { } oidc)
        {
            return new("No provider is set up at the gateway", WalkResult.Fine);
        }

        var what = $"Signing in leads to {oidc.Issuer}";
        var (status, headers, _) = await _address.GetAsync($"{_pages}/oidc/start");
        var back = Uri.EscapeDataString(RedirectAddress.Of(settings));
        return status is >= 300 and < 400 && headers.Location?.OriginalString.Contains(back, StringComparison.Ordinal) is true
            ? new(what, WalkResult.Fine)
            : new(
                what, WalkResult.Warning,
                $"{_pages}/oidc/start answered {status}{LocationOf(headers)}; 'gateway check --online' asks the provider itself");
    }

    /// <summary>Tailscale clients find out over plain HTTP whether a captive portal is in the way.</summary>
    private async Task<WalkStep> LookAtPlainAsync()
    {
        const string what = "Port 80 answers clients that look for a captive portal";
        if (_base is not { Scheme: "https", IsDefaultPort: true })
        {
            return new("Port 80 is not looked at: server.base_url has another port", WalkResult.Fine);
        }

        var plain = $"http://{_base.Host}{CaptivePortal.Path}";
        var (status, _, text) = await _address.GetAsync(plain);
        return status switch
        {
            204 => new(what, WalkResult.Fine),
            0 => new(what, WalkResult.Warning, $"{text.TrimEnd('.')}; some clients take that for a captive portal"),
            _ => new(what, WalkResult.Warning, $"the answer was {status}: lead {plain} to the gateway, and redirect the rest"),
        };
    }

    private string HostAdvice() =>
        $"the answer was 421: the front sends another Host than {_base.Authority}. Pass it on (nginx: proxy_set_header Host $http_host; "
        + $"Apache: ProxyPreserveHost On), or correct server.base_url in {file}";

    private static string LocationOf(HttpResponseHeaders headers) =>
        headers.Location is { } location ? $" to {(location.IsAbsoluteUri ? location.GetLeftPart(UriPartial.Path) : location)}" : "";
}
