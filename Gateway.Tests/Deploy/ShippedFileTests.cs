using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Gateway.Sandbox;
using Gateway.Sandbox.StandIns;
using Gateway.Settings;
using Gateway.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Gateway.Tests.Deploy;

/// <summary>Units, manifests and containers: each is understood by what will read it, and hardened as it says.</summary>
public sealed partial class ShippedFileTests
{
    /// <summary>Every file that brings settings of the gateway along.</summary>
    public static TheoryData<string> WithSettings =>
        ["systemd/headtower.yaml", "compose/headtower.yaml", "kubernetes/with-key/headtower.yaml", "kubernetes/same-pod/headtower.yaml",
            "traefik/dynamic.yaml", "traefik/oidc.yaml", "traefik/oauth2-proxy.yaml"];

    [Theory]
    [MemberData(nameof(WithSettings))]
    public void TheSettingsThatAreShippedAreUnderstood(string file)
    {
        using var folder = new TemporaryFolder();
        var key = folder.File("key", "hskey-api-abcdefghijkl-" + new string('a', 64));
        var yaml = SettingsIn(file);
        yaml = SecretPath().Replace(yaml, $"$1_path: {key}");

        var result = SettingsFile.Parse(yaml, file, new Dictionary<string, string>());

        result.Problems.Errors.Should().BeEmpty();
        result.Settings!.Server.BaseUrl!.AbsoluteUri.Should().Be("https://headscale.example.com/");
    }

    [Fact]
    public void ThePodAndTheContainerMayDoNothingBesidesTheirWork()
    {
        var deployment = Documents(Read("kubernetes/base/deployment.yaml")).Single(one => $"{one["kind"]}" == "Deployment");
        var (pod, container) = (deployment["spec"]["template"]["spec"], deployment["spec"]["template"]["spec"]["containers"][0]);
        ($"{pod["securityContext"]["runAsNonRoot"]}", $"{pod["automountServiceAccountToken"]}",
            $"{container["securityContext"]["readOnlyRootFilesystem"]}", $"{container["securityContext"]["allowPrivilegeEscalation"]}")
                .Should()
            .Be(("true", "false", "true", "false"));
        $"{container["securityContext"]["capabilities"]["drop"]}".Should().Be("[ ALL ]");

        var gateway = Documents(Read("compose/compose.yaml")).Single()["services"]["gateway"];
        ($"{gateway["read_only"]}", $"{gateway["cap_drop"]}", $"{gateway["ports"]}").Should()
            .Be(("true", "[ ALL ]", "[ 127.0.0.1:3000:3000 ]"));
        ((YamlMappingNode)Documents(Read("compose/compose.yaml")).Single()["services"]["headscale"]).Children.ContainsKey("ports").Should()
            .BeFalse();
    }

    [Fact]
    public void TraefikAsksBeforePagesAndApiAndNeverAClient()
    {
        var http = Documents(Read("traefik/dynamic.yaml")).Single()["http"];
        $"{http["routers"]["headscale"]["middlewares"]}".Should().Be("[ nobody ]");
        ($"{http["routers"]["headscale-pages"]["middlewares"]}", $"{http["routers"]["headscale-api"]["middlewares"]}").Should()
            .Be(("[ nobody, authelia ]", "[ nobody, authelia-api ]"));
        var identity = ((YamlSequenceNode)http["middlewares"]["authelia"]["forwardAuth"]["authResponseHeaders"]).Select(one => $"{one}");
        var removed = (YamlMappingNode)http["middlewares"]["nobody"]["headers"]["customRequestHeaders"];
        identity.Should().AllSatisfy(one => $"{removed[one]}".Should().Be(""));

        // The labels say the same.
        var labels = ((YamlMappingNode)Documents(Read("traefik/compose.labels.yaml")).Single()["services"]["gateway"]["labels"])
            .ToDictionary(one => $"{one.Key}", one => $"{one.Value}");
        foreach (var router in ((YamlMappingNode)http["routers"]).Children.Keys.Select(one => $"{one}"))
        {
            labels[$"traefik.http.routers.{router}.rule"].Should().Be($"{http["routers"][router]["rule"]}");
        }

        labels.Keys.Where(one => one.Contains("headtower-nobody.headers.customrequestheaders.", StringComparison.Ordinal))
            .Select(one => one.Split('.')[^1]).Should().BeEquivalentTo(removed.Select(one => $"{one.Key}").Append("X-Headtower-Proof"));
        labels["traefik.http.middlewares.headtower-authelia.forwardauth.authresponseheaders"].Should().Be(string.Join(',', identity));
    }

    [Fact]
    public void TheImageIsBuiltFromWhatIsThere()
    {
        var root = Path.GetDirectoryName(Front.Folder)!;
        var lines = File.ReadAllLines(Path.Combine(root, "Dockerfile"));
        var copied = lines.Where(
            one => one.StartsWith("COPY ", StringComparison.Ordinal) && !one.Contains("--from", StringComparison.Ordinal))
            .SelectMany(one => one.Split(' ')[1..^1]);
        copied.Should().AllSatisfy(one => Path.Exists(Path.Combine(root, one)).Should().BeTrue(one));

        // Without the rules of the code style, the build finds other faults than here.
        Directory.GetFiles(root).Select(Path.GetFileName)
            .Where(one => one is ".editorconfig" or "BannedSymbols.txt" || Path.GetExtension(one) is ".props" or ".targets").Except(copied)
            .Should().BeEmpty();
        lines.Should().Contain("USER $APP_UID");
        lines.Should().Contain("RUN dotnet restore Gateway --locked-mode");
    }

    [SystemdFact]
    public async Task TheUnitIsUnderstoodAndConfined()
    {
        using var folder = new TemporaryFolder();
        var program = folder.File("gateway", "#!/bin/sh\n");
        folder.OpenToEverybody();
        using (var executable = Process.Start("chmod", ["+x", program]))
        {
            await executable.WaitForExitAsync();
        }

        folder.File("headtower.service", Read("systemd/headtower.service").Replace("/usr/bin/gateway", program, StringComparison.Ordinal));
        folder.File("headtower.socket", Read("systemd/headtower.socket"));

        var (status, said) = await ProgramRun.OfAsync(
            "systemd-analyze", "verify", "--man=no", Path.Combine(folder.Path, "headtower.service"),
            Path.Combine(folder.Path, "headtower.socket"));
        (status, string.Join('\n', said.Split('\n').Where(one => one.Contains("headtower", StringComparison.Ordinal)))).Should()
            .Be((0, ""));
        var (_, exposure) = await ProgramRun.OfAsync(
            "systemd-analyze", "security", "--offline=true", "--no-pager", Path.Combine(folder.Path, "headtower.service"));
        double.Parse(Exposure().Match(exposure).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture).Should()
            .BeInRange(0.1, 2.0);
    }

    [SystemdFact]
    public async Task TheGatewayTakesTheSocketThatSystemdHolds()
    {
        await using var headscale = await HeadscaleStandIn.StartAsync(29);
        using var folder = new TemporaryFolder();
        var port = GatewayProcess.FreePort();
        var config = folder.File(
            "headtower.yaml",
            $"headscale: {{url: '{headscale.Url.GetLeftPart(UriPartial.Authority)}', api_key: {headscale.ApiKey}}}\nserver: {{host: "
            + $"127.0.0.1, port: 1, data_path: {folder.Path}}}\n");
        var start = new ProcessStartInfo(
            "systemd-socket-activate",
            ["-l", $"127.0.0.1:{port}", "dotnet", typeof(App).Assembly.Location, "serve", "--config", config])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            using var http = new HttpClient();
            await Until.TrueAsync(async () => await IsUpAsync(http, port), "the gateway answers on systemd's socket");
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    private static async Task<bool> IsUpAsync(HttpClient http, int port)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/key?v=113"));
            return answer.StatusCode is HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static string SettingsIn(string file)
    {
        var text = Read(file);
        return file switch
        {
            ['t', 'r', 'a', 'e', 'f', 'i', 'k', ..] => Front.SettingsIn(text),
            _ => text,
        };
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(Front.Folder, file));

    private static List<YamlNode> Documents(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(one => one.RootNode)];
    }

    [GeneratedRegex("(api_key|client_secret)_path: .*")]
    private static partial Regex SecretPath();

    [GeneratedRegex(@"Overall exposure level for [^:]+: ([0-9.]+)")]
    private static partial Regex Exposure();
}
