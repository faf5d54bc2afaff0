using Gateway.Tests.Support;

namespace Gateway.Tests.Cli;

/// <summary>What a start, or the first sign-in, would meet, is found by <c>gateway check</c>.</summary>
public sealed class StartProblemsTests
{
    [Theory]
    [InlineData("base_url: 'http://hs.test', cookie_secure: true", "nobody could sign in", 1)]
    [InlineData("base_url: 'https://hs.test/headscale'", "remove the path '/headscale'", 1)]
    [InlineData("listen: ['http://192.0.2.77:3000']", "this machine does not have that address", 1)]
    [InlineData("tls_cert_path: ONE, tls_key_path: OTHER", "are no certificate with its key", 1)]
    [InlineData("proxy_auth: {enabled: true}, base_url: 'https://hs.test'", "whoever signs in first becomes the owner", 0)]
    [InlineData("listen: ['unix:/nowhere/http.sock']", "the folder /nowhere does not exist", 1)]
    [InlineData("listen: ['unix:http.sock']", "is not of the form", 1)]
    [InlineData("data_path: 'ONE/data'", "one.pem is a file", 1)]
    [InlineData("data_path: '/proc/headtower'", "cannot be written by this user", 0)]
    [InlineData("data_path: 'LINK'", "cannot be written by this user", 0)]
    [InlineData("tls_cert_path: ONE, tls_key_path: ITS", "everybody on this machine may read", 0)]
    [InlineData(
        "proxy_auth: {enabled: true, groups_header: Remote-Groups, default_role: admin, role_map: {staff: viewer}}",
        "whoever comes without groups gains by it", 0)]
    public async Task CheckFindsIt(string server, string words, int exit)
    {
        using var folder = new TemporaryFolder();
        var (one, other) = (Path.Combine(folder.Path, "one.pem"), Path.Combine(folder.Path, "other.key"));
        Certificates.Write(one, other);
        Certificates.Write(one, Path.Combine(folder.Path, "one.key"));
        var its = Path.Combine(folder.Path, "one.key");
        FileModes.Set(its, FileModes.OwnerOnly | UnixFileMode.OtherRead);
        var link = Path.Combine(folder.Path, "link");
        File.CreateSymbolicLink(link, "private/headtower");
        server = server.Replace("LINK", link, StringComparison.Ordinal).Replace("ONE", one, StringComparison.Ordinal)
            .Replace("OTHER", other, StringComparison.Ordinal).Replace("ITS", its, StringComparison.Ordinal);
        var config = folder.File(
            "headtower.yaml",
            $"headscale: {{url: 'http://127.0.0.1:9', api_key: 'hskey-api-abcdefghijkl-{new string('a', 64)}'}}\n"
            + $"server: {{{(server.Contains("listen", StringComparison.Ordinal) ? "" : "port: 0, ")}{server}"
            + $"{(server.Contains("data_path", StringComparison.Ordinal) ? "" : $", data_path: '{folder.Path}'")}}}\n");

        var result = await Verb.RunAsync("check", "--config", config);

        result.Exit.Should().Be(exit, result.Output + result.Error);
        (result.Output + result.Error).Should().Contain(words);
    }
}
