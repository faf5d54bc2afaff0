using System.Net;
using System.Text.RegularExpressions;
using Gateway.Sandbox.StandIns;

namespace Gateway.Tests.Support;

/// <summary>What a page answered.</summary>
internal sealed record PageAnswer(int Status, string? Location, string Text, HttpResponseMessage Response);

/// <summary>
/// A browser as far as sign-in needs one: cookies by path, redirects one at a time, forms. It takes the public address for
/// the gateway's own, as a front proxy with TLS would make it.
/// </summary>
internal sealed partial class Browser(Uri address, Uri publicAddress) : IDisposable
{
    public Browser(TestGateway gateway)
        : this(gateway.Url, gateway.Configuration.Settings.Server.BaseUrl!)
    {
    }

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    /// <summary>Name → value and path.</summary>
    public Dictionary<string, (string Value, string Path)> Cookies { get; } = [];

    /// <summary>Headers that are sent along.</summary>
    public Dictionary<string, string> Headers { get; } = new() { ["Accept"] = "text/html", ["X-Forwarded-Proto"] = "https" };

    public Task<PageAnswer> GetAsync(string target) => SendAsync(new HttpRequestMessage(HttpMethod.Get, Resolve(target)));

    public Task<PageAnswer> PostAsync(string target, params (string Name, string Value)[] fields) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, Resolve(target))
        {
            Content = new FormUrlEncodedContent(fields.Select(one => KeyValuePair.Create(one.Name, one.Value))),
            Headers = { { "Origin", publicAddress.GetLeftPart(UriPartial.Authority) } },
        });

    /// <summary>Fills in the form of a page and sends it.</summary>
    public async Task<PageAnswer> SubmitAsync(string page, string action, params (string Name, string Value)[] fields)
    {
        var shown = await GetAsync(page);
        return await PostAsync(
            action,
            [.. Hidden().Matches(shown.Text).Select(one => (one.Groups[1].Value, WebUtility.HtmlDecode(one.Groups[2].Value))).Distinct(),
                .. fields]);
    }

    /// <summary>Goes to the provider and gives what it answers with, up to the callback's address.</summary>
    public async Task<string> BeginAsync(ProviderStandIn provider, string login, string returnTo = "/admin/")
    {
        PageAnswer? start = null;
        await Until.TrueAsync(
            async () => (start = await GetAsync($"/admin/oidc/start?return_to={Uri.EscapeDataString(returnTo)}")).Status != 503,
            "the provider is known");
        start!.Status.Should().Be(302);
        start.Location.Should().StartWith(provider.Issuer);
        using var picked = await _http.GetAsync(new Uri(start.Location!.Replace("/authorize?", $"/as/{login}?", StringComparison.Ordinal)));
        picked.StatusCode.Should().Be(HttpStatusCode.Redirect);
        return picked.Headers.Location!.OriginalString;
    }

    public async Task<PageAnswer> SignInAsync(ProviderStandIn provider, string login, string returnTo = "/admin/") =>
        await GetAsync(await BeginAsync(provider, login, returnTo));

    public void Dispose() => _http.Dispose();

    private Uri Resolve(string target) => new(address, target.Replace("https://gateway.example.test", "", StringComparison.Ordinal));

    private async Task<PageAnswer> SendAsync(HttpRequestMessage request)
    {
        using var sent = request;
        request.Headers.Host = Headers.GetValueOrDefault("Host") ?? publicAddress.Authority;
        foreach (var (name, value) in Headers.Where(one => one.Key != "Host"))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var path = request.RequestUri!.AbsolutePath;
        var cookies = Cookies.Where(one => path.StartsWith(one.Value.Path, StringComparison.Ordinal))
            .Select(one => $"{one.Key}={one.Value.Value}").ToArray();
        if (cookies.Length > 0)
        {
            request.Headers.TryAddWithoutValidation("Cookie", string.Join("; ", cookies));
        }

        var response = await _http.SendAsync(request);
        foreach (var line in response.Headers.TryGetValues("Set-Cookie", out var lines) ? lines : [])
        {
            Keep(line);
        }

        return new(
            (int)response.StatusCode, response.Headers.Location?.OriginalString, await response.Content.ReadAsStringAsync(), response);
    }

    private void Keep(string line)
    {
        var parts = line.Split(';', StringSplitOptions.TrimEntries);
        var (name, value) = (parts[0].Split('=', 2)[0], parts[0].Split('=', 2)[1]);
        if (value.Length == 0)
        {
            Cookies.Remove(name);
            return;
        }

        Cookies[name] = (value, parts.FirstOrDefault(one => one.StartsWith("path=", StringComparison.OrdinalIgnoreCase))?[5..] ?? "/");
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\"")]
    private static partial Regex Hidden();
}
