using System.Net;
using System.Text.RegularExpressions;
using Gateway.Settings;
using Gateway.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Gateway.Tests.Deploy;

/// <summary>Compose, chart, manifests and role: read by the real programs where there are some, and of one version everywhere.</summary>
public sealed partial class FleetFileTests
{
    private static readonly string _root = Path.GetDirectoryName(Front.Folder)!;

    /// <summary>Values that turn each switch of the chart on, and the names that broke it once.</summary>
    public static TheoryData<string, string> Values => new()
    {
        { "headtower", "" },
        { "headscale", "headscale.sidecar.enabled=true,headscale.sidecar.existingConfigMap=hs,headscale.sidecar.stun.enabled=true" },
        { "x123", "ingress.enabled=true,ingress.className=nginx,networkPolicy.enabled=true,existingSecret=keys" },
        { "gw", "httpRoute.enabled=true,httpRoute.parentRefs[0].name=public,persistence.enabled=false" },
    };

    [Fact]
    public void TheVersionIsTheSameEverywhere()
    {
        var version = VersionIn("Directory.Build.props", "<Version>(.+)</Version>");
        var told = new Dictionary<string, string>
        {
            ["Dockerfile"] = VersionIn("Dockerfile", "ARG VERSION=(.+)"),
            ["compose"] = VersionIn("deploy/compose/compose.yaml", "image: headtower:(.+)"),
            ["kustomization"] = VersionIn("deploy/kubernetes/kustomization.yaml", "newTag: (.+)"),
            ["chart"] = VersionIn("deploy/helm/headtower/Chart.yaml", "appVersion: \"(.+)\""),
            ["role"] = VersionIn("deploy/ansible/role-headtower/defaults/main.yml", "headtower_version: (.+)"),
            ["docs"] = VersionIn("docs/containers.md", "docker build -t headtower:(\\S+)"),
        };

        told.Should().AllSatisfy(one => one.Value.Should().Be(version, one.Key));
        File.ReadAllText(Path.Combine(_root, "CHANGELOG.md")).Should().MatchRegex($@"\n## ([^\n]*\()?{Regex.Escape(version)}\b");
    }

    [Fact]
    public void ComposeLetsHeadscaleOutAndStartsInOrder()
    {
        var services = Yaml("deploy/compose/compose.yaml")["services"];
        var networks = (YamlMappingNode)Yaml("deploy/compose/compose.yaml")["networks"];
        var ofHeadscale = ((YamlSequenceNode)services["headscale"]["networks"]).Select(one => $"{one}").ToArray();

        ofHeadscale.Where(name => networks[name] is not YamlMappingNode { Children: var set } || !set.ContainsKey("internal")).Should()
            .NotBeEmpty("Headscale fetches the map of DERP servers and does not start without");
        $"{services["headscale"]["image"]}".Should().MatchRegex(@":v0\.29\.\d+$");
        $"{services["gateway"]["depends_on"]["headscale"]["condition"]}".Should().Be("service_healthy");
        $"{services["headscale"]["healthcheck"]["test"]}".Should().Contain("headscale");
        $"{services["gateway"]["healthcheck"]["test"]}".Should().Contain("healthcheck");

        // Since 0.29 it believes addresses of nobody who is not named.
        var subnet = $"{networks["inside"]["ipam"]["config"][0]["subnet"]}";
        ((YamlSequenceNode)Yaml("deploy/compose/headscale.yaml")["trusted_proxies"]).Select(one => $"{one}").Should()
            .Contain(one => IPNetwork.Parse(one).Contains(IPAddress.Parse(subnet.Split('/')[0])));
    }

    [Theory]
    [MemberData(nameof(ChainTests.Files), MemberType = typeof(ChainTests))]
    public void AFrontsFileSaysHowManyDevicesItCarriesAndServesEveryAddress(string file)
    {
        var text = File.ReadAllText(Path.Combine(_root, "deploy", file));

        text.Should().MatchRegex("(?i)each (device )?takes two|each device keeps a thread").And.Contain("generate_204");
        (file.Split('/')[0] switch
        {
            "nginx" =>
                text.Contains("listen [::]:443", StringComparison.Ordinal) && text.Contains("listen [::]:80", StringComparison.Ordinal),
            "haproxy" => text.Contains("bind :::443", StringComparison.Ordinal) && text.Contains("maxconn", StringComparison.Ordinal),
            "apache" => text.Contains("MaxRequestWorkers", StringComparison.Ordinal),
            _ => true,
        }).Should().BeTrue("IPv6 is served and the limit is set, where the front does not do so by itself");
    }

    [Fact]
    public void TheUnitSaysWhenItIsReadyAndReloads()
    {
        var unit = File.ReadAllLines(Path.Combine(_root, "deploy/systemd/headtower.service"));

        unit.Should().Contain("Type=notify").And.Contain("WatchdogSec=30").And.Contain("ExecReload=/bin/kill -HUP $MAINPID");
        unit.Should().NotContain(one => one.StartsWith("ExecStartPre=", StringComparison.Ordinal), "it would double each start");
    }

    [ChartsTheory]
    [MemberData(nameof(Values))]
    public async Task HelmLintsAndRendersTheChartWithOneHostThroughout(string release, string set)
    {
        var chart = Path.Combine(_root, "deploy/helm/headtower");
        var options = set.Length == 0 ? [] : new[] { "--set", set };

        var lint = await ChartPrograms.HelmAsync(["lint", "--strict", chart, "--set", "host=hs.example.test", .. options]);
        var rendered = await ChartPrograms.HelmAsync(["template", release, chart, "--set", "host=hs.example.test", .. options]);

        (lint.Status, lint.Said).Should().Match<(int, string)>(one => one.Item1 == 0, lint.Said);
        rendered.Status.Should().Be(0, rendered.Said);
        rendered.Said.Should().NotContain("headscale.example.com");
        var documents = Documents(rendered.Said);
        var settings = documents.Where(one => Kind(one) == "ConfigMap").Select(one => $"{one["data"]["headtower.yaml"]}").Single();
        SettingsFile.Parse(settings, "headtower.yaml", new Dictionary<string, string>()).Settings?.Server.BaseUrl?.Host.Should()
            .Be("hs.example.test");
        settings.Should().Contain("https://hs.example.test");
        var hosts = documents.Where(one => Kind(one) is "Ingress").Select(one => $"{one["spec"]["rules"][0]["host"]}")
            .Concat(documents.Where(one => Kind(one) is "HTTPRoute").Select(one => $"{one["spec"]["hostnames"][0]}"));
        hosts.Where(one => one != "hs.example.test").Should().BeEmpty();
        foreach (var (service, deployment) in documents.Where(one => Kind(one) is "Service" && $"{one["metadata"]["name"]}".EndsWith(
            "headtower", StringComparison.Ordinal)).SelectMany(_ => documents.Where(one => Kind(one) is "Deployment"), (a, b) => (a, b)))
        {
            var labels = (YamlMappingNode)deployment["spec"]["template"]["metadata"]["labels"];
            ((YamlMappingNode)service["spec"]["selector"]).Should().AllSatisfy(one => $"{labels[one.Key]}".Should().Be($"{one.Value}"));
        }

        documents.Where(one => Kind(one) is "PersistentVolumeClaim")
            .Where(one => $"{one["metadata"]["annotations"]["helm.sh/resource-policy"]}" != "keep").Should()
            .BeEmpty("uninstalling must not delete the store");
    }

    [ChartsTheory]
    [InlineData("replicaCount=2")]
    [InlineData("hostt=x")]
    [InlineData("service.port=none")]
    public async Task ValuesThatCannotBeRightAreRefusedByTheChart(string set)
    {
        var rendered = await ChartPrograms.HelmAsync(
            "template", "x", Path.Combine(_root, "deploy/helm/headtower"), "--set", set);

        rendered.Status.Should().NotBe(0, rendered.Said);
    }

    [ChartsTheory]
    [InlineData("kubernetes")]
    [InlineData("kubernetes/base")]
    [InlineData("kubernetes/with-key")]
    [InlineData("kubernetes/same-pod")]
    public async Task KustomizeBuildsTheManifests(string folder)
    {
        var built = await ChartPrograms.KubectlAsync("kustomize", Path.Combine(_root, "deploy", folder));

        built.Status.Should().Be(0, built.Said);
        Documents(built.Said).Select(Kind).Should().Contain(["Deployment", "Service", "PersistentVolumeClaim"]);
    }

    [Fact]
    public void TheRoleNamesWhatTraefikAndHeadscaleNeed()
    {
        var role = Path.Combine(_root, "deploy/ansible/role-headtower");
        var defaults = File.ReadAllText(Path.Combine(role, "defaults/main.yml"));
        var used = Directory.GetFiles(role, "*", SearchOption.AllDirectories)
            .Where(one => !one.EndsWith("README.md", StringComparison.Ordinal))
            .SelectMany(one => RoleVariable().Matches(File.ReadAllText(one))).Select(one => one.Value).Distinct();

        used.Where(one => !Regex.IsMatch(defaults, $"^{Regex.Escape(one)}:", RegexOptions.Multiline))
            .Except(RegisteredVariable().Matches(string.Concat(Directory.GetFiles(Path.Combine(role, "tasks")).Select(File.ReadAllText)))
                .Select(one => one.Groups[1].Value))
            .Should().BeEmpty("a variable without a default stops the play in the middle");
        Documents(defaults).Should().ContainSingle();
        defaults.Should().Contain("web-secure").And.Contain("_custom: []");
        File.ReadAllText(Path.Combine(_root, "deploy/ansible/host_vars/mash.example.com/vars.yml")).Should()
            .Contain("headscale_configuration_extension_yaml").And.Contain("trusted_proxies");
    }

    private static string VersionIn(string file, string pattern) =>
        Regex.Match(File.ReadAllText(Path.Combine(_root, file)), pattern).Groups[1].Value;

    private static YamlNode Yaml(string file) => Documents(File.ReadAllText(Path.Combine(_root, file))).Single();

    private static string Kind(YamlNode one) => $"{one["kind"]}";

    private static List<YamlNode> Documents(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(one => one.RootNode).Where(one => one is YamlMappingNode)];
    }

    [GeneratedRegex("register: (headtower_[a-z_]+)")]
    private static partial Regex RegisteredVariable();

    [GeneratedRegex(@"\bheadtower_[a-z_A-Z]+\b")]
    private static partial Regex RoleVariable();
}
