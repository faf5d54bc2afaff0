using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.Sandbox.StandIns;

/// <summary>An OpenID provider on a real port, with an account picker in the place of passwords.</summary>
internal sealed partial class ProviderStandIn : IAsyncDisposable
{
    public const string ClientId = "headtower";

    public const string ClientSecret = "a secret of the client: %&+ included";

    /// <summary>
    /// The first key of each provider of this process: to make one takes longer than all the rest of a sign-in.
    /// <see cref="RotateKey"/> makes one that no other has.
    /// </summary>
    private static readonly Lazy<RSAParameters> _firstKey = new(() =>
    {
        using var made = RSA.Create(2048);
        return made.ExportParameters(includePrivateParameters: true);
    });

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Grant> _codes = new();
    private readonly ConcurrentDictionary<string, Grant> _accessTokens = new();
    private readonly PushedRequests _pushed = new();
    private readonly string _host;
    private RSA _key = RSA.Create(_firstKey.Value);
    private string _keyId = "key-1";

    private ProviderStandIn(WebApplication app, IReadOnlyList<ProviderAccount> accounts, string host) =>
        (_app, Accounts, Client, _host) = (app, accounts, new(ClientId, ClientSecret), host);

    public IReadOnlyList<ProviderAccount> Accounts { get; set; }

    public Misbehaviour Misbehaviour { get; set; } = new();

    public string Issuer => field ??= ListeningOn is { Scheme: "https" } secure
        ? secure.GetLeftPart(UriPartial.Authority)
        : SandboxOptions.UrlOf(_host, ListeningOn.Port).GetLeftPart(UriPartial.Authority);

    private Uri ListeningOn => new(_app.Urls.Single());

    /// <summary>How the client shows itself.</summary>
    public ProviderClient Client { get; }

    /// <summary>Whether user info comes as a signed token (OpenID Connect Core 5.3.2).</summary>
    public bool SignsUserInfo { get; set; }

    /// <summary>Whether authorization requests must be pushed (RFC 9126).</summary>
    public bool RequiresPushedRequests { get; set; }

    /// <summary>How often the keys were fetched.</summary>
    public int KeyFetches { get; private set; }

    /// <param name="certificate">Given, it speaks https.</param>
    /// <param name="host">The address that it listens on; for a name, it listens on all of them.</param>
    public static async Task<ProviderStandIn> StartAsync(
        IReadOnlyList<ProviderAccount> accounts, int port = 0, X509Certificate2? certificate = null, string host = "127.0.0.1")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.TryParse(host, out var address) ? address : IPAddress.IPv6Any, port, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        var app = builder.Build();
        var provider = new ProviderStandIn(app, accounts, host);
        app.Run(provider.AnswerAsync);
        await app.StartAsync();
        return provider;
    }

    /// <summary>A new key under a new id, as every provider does now and then.</summary>
    public void RotateKey(int bits = 2048)
    {
        _key = RSA.Create(bits);
        _keyId = $"key-{Guid.NewGuid():n}";
    }

    /// <summary>A logout token for one session or all of a subject (OpenID Connect Back-Channel Logout 1.0 2.4).</summary>
    public string MakeLogoutToken(string? subject, string? session, Action<JsonObject>? change = null, string type = "logout+jwt")
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var payload = new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = ClientId,
            ["iat"] = now,
            ["exp"] = now + 120,
            ["jti"] = Guid.NewGuid().ToString("n"),
            ["sub"] = subject,
            ["sid"] = session,
            ["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() },
        };
        foreach (var absent in payload.Where(one => one.Value is null).Select(one => one.Key).ToArray())
        {
            payload.Remove(absent);
        }

        change?.Invoke(payload);
        return MakeToken(payload, type);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (Misbehaviour.Answer is { } answer && await answer(context))
        {
            return;
        }

        await (context.Request.Path.Value switch
        {
            "/.well-known/openid-configuration" => WriteAsync(context, 200, Discovery()),
            "/jwks" => WriteAsync(context, 200, Keys()),
            "/authorize" => PickAsync(context),
            "/token" => RedeemAsync(context),
            "/par" => PushAsync(context),
            "/userinfo" => UserInfoAsync(context),
            "/end-session" => EndSessionAsync(context),
            var path when path!.StartsWith("/as/", StringComparison.Ordinal) => GrantAsync(context, path["/as/".Length..]),
            _ => WriteAsync(context, 404, []),
        });
    }

    private Task PickAsync(HttpContext context)
    {
        var query = WebUtility.HtmlEncode(context.Request.QueryString.Value);
        var links = Accounts.Select(one => $"<li><a href=\"/as/{one.Login}{query}\">{WebUtility.HtmlEncode(one.Name)}</a> "
            + $"({WebUtility.HtmlEncode(string.Join(", ", one.Groups))})</li>");
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync("<!doctype html><html lang=\"en\"><title>Sandbox provider</title>"
            + $"<h1>Who are you?</h1><ul>{string.Concat(links)}</ul>");
    }

    private async Task PushAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        await (Client.IsShown(context.Request.Headers.Authorization.ToString(), form, Issuer)
            ? WriteAsync(context, 201, new() { ["request_uri"] = _pushed.Keep(form), ["expires_in"] = 60 })
            : WriteAsync(context, 401, new() { ["error"] = "invalid_client" }));
    }

    private Task GrantAsync(HttpContext context, string login)
    {
        var query = _pushed.Take(context.Request.Query);
        if ((RequiresPushedRequests && query == context.Request.Query)
            || Accounts.FirstOrDefault(one => one.Login == login) is not { } account || query["client_id"] != ClientId)
        {
            return WriteAsync(context, 400, new() { ["error"] = "invalid_request" });
        }

        var code = Base64Url(RandomNumberGenerator.GetBytes(16));
        _codes[code] = new Grant(
            account, query["redirect_uri"].ToString(), query["nonce"], query["code_challenge"], query["scope"].ToString(),
            Guid.NewGuid().ToString("n"));
        var back = new Dictionary<string, string?> { ["code"] = code, ["state"] = query["state"], ["iss"] = Issuer };
        Misbehaviour.Redirect?.Invoke(back);
        context.Response.Redirect(Microsoft.AspNetCore.WebUtilities.QueryHelpers.AddQueryString(query["redirect_uri"]!, back));
        return Task.CompletedTask;
    }

    private async Task RedeemAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        if (!Client.IsShown(context.Request.Headers.Authorization.ToString(), form, Issuer))
        {
            await WriteAsync(context, 401, new() { ["error"] = "invalid_client" });
            return;
        }

        if (!_codes.TryRemove(form["code"].ToString(), out var grant) || grant.RedirectUri != form["redirect_uri"]
            || (grant.Challenge is { } challenge
                && challenge != Base64Url(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())))))
        {
            await WriteAsync(context, 400, new() { ["error"] = "invalid_grant" });
            return;
        }

        var access = Base64Url(RandomNumberGenerator.GetBytes(16));
        _accessTokens[access] = grant;
        var answer = new JsonObject
        {
            ["access_token"] = access,
            ["token_type"] = "Bearer",
            ["expires_in"] = 300,
            ["id_token"] = IdToken(grant, access),
        };
        Misbehaviour.TokenAnswer?.Invoke(answer);
        await WriteAsync(context, 200, answer);
    }

    private string IdToken(Grant grant, string access)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var payload = new JsonObject
        {
            ["iss"] = Issuer,
            ["sub"] = grant.Account.Subject,
            ["aud"] = ClientId,
            ["exp"] = now + 300,
            ["iat"] = now,
            ["nonce"] = grant.Nonce,
            ["sid"] = grant.Session,
            ["at_hash"] = Base64Url(SHA256.HashData(Encoding.ASCII.GetBytes(access))[..16]),
        };
        return MakeToken(payload, "JWT");
    }

    private string MakeToken(JsonObject payload, string type)
    {
        Misbehaviour.Payload?.Invoke(payload);
        var header = new JsonObject { ["alg"] = "RS256", ["kid"] = _keyId, ["typ"] = type };
        Misbehaviour.Header?.Invoke(header);
        var token = Sign(header, payload);
        return Misbehaviour.Token is { } change ? change(token) : token;
    }

    private string Sign(JsonObject header, JsonObject payload)
    {
        var text = $"{Base64Url(Encoding.UTF8.GetBytes(header.ToJsonString()))}."
            + Base64Url(Encoding.UTF8.GetBytes(payload.ToJsonString()));
        var bytes = Encoding.ASCII.GetBytes(text);
        var signature = Misbehaviour.Signature is { } other
            ? other(bytes)
            : _key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{text}.{Base64Url(signature)}";
    }

    private Task UserInfoAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization.ToString().Split(' ') is not ["Bearer", var access]
            || !_accessTokens.TryGetValue(access, out var grant))
        {
            return WriteAsync(context, 401, new() { ["error"] = "invalid_token" });
        }

        var claims = new JsonObject
        {
            ["sub"] = grant.Account.Subject,
            ["name"] = grant.Account.Name,
            ["preferred_username"] = grant.Account.Login,
            ["email"] = grant.Account.Email,
            ["email_verified"] = grant.Account.EmailIsVerified,
            ["groups"] = new JsonArray([.. grant.Account.Groups.Select(one => (JsonNode)one)]),
            ["realm_access"] = new JsonObject { ["roles"] = new JsonArray([.. grant.Account.Groups.Select(one => (JsonNode)one)]) },
        };
        if (!SignsUserInfo)
        {
            Misbehaviour.UserInfo?.Invoke(claims);
            return WriteAsync(context, 200, claims);
        }

        (claims["iss"], claims["aud"]) = (Issuer, ClientId);
        Misbehaviour.UserInfo?.Invoke(claims);
        var tokenHeader = new JsonObject { ["alg"] = "RS256", ["kid"] = _keyId };
        Misbehaviour.UserInfoHeader?.Invoke(tokenHeader);
        var token = Sign(tokenHeader, claims);
        context.Response.ContentType = "application/jwt";
        return context.Response.WriteAsync(Misbehaviour.UserInfoToken is { } change ? change(token) : token);
    }

    private static Task EndSessionAsync(HttpContext context)
    {
        context.Response.Redirect(context.Request.Query["post_logout_redirect_uri"].ToString());
        return Task.CompletedTask;
    }

    private static Task WriteAsync(HttpContext context, int status, JsonObject body)
    {
        (context.Response.StatusCode, context.Response.ContentType) = (status, "application/json");
        return context.Response.WriteAsync(body.ToJsonString());
    }

    private static string Base64Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private sealed record Grant(
        ProviderAccount Account, string RedirectUri, string? Nonce, string? Challenge, string Scope, string Session);
}
