using System.Text.RegularExpressions;
using Gateway.Cli;
using Gateway.Edge;
using Gateway.Headscale;
using Gateway.Loading;
using Gateway.Settings;
using Gateway.Tests.Deploy;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests;

/// <summary>What is documented is there, and what is there is documented.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string _root = Path.GetDirectoryName(Front.Folder)!;

    private static readonly string _reference = Path.Combine(_root, "docs", "reference.md");

    private static readonly string[] _pages =
    [
        Path.Combine(_root, "README.md"), .. Directory.GetFiles(Path.Combine(_root, "docs"), "*.md", SearchOption.AllDirectories),
    ];

    [Fact]
    public void TheReferenceOfSettingsIsTheOneThatTheProgramPrints() =>
        File.ReadAllText(Path.Combine(_root, "docs", "configuration.md")).Should().Be(SettingDeclarations.Markdown());

    [Fact]
    public void EverySettingThatIsReadIsExplainedAndNoOther()
    {
        // Each section is there, so that each key of it is asked for.
        var sections = SettingDeclarations.All.Select(one => one.Key[..one.Key.LastIndexOf('.')]).Distinct().ToArray();
        var yaml = string.Join(
            '\n',
            sections.Where(one => !one.Contains('.', StringComparison.Ordinal))
                .Select(one =>
                    $"{one}: {(one switch { "server" => "{proxy_auth: {enabled: true}}", "oidc" => "{pkce: {x: 1}}", _ => "{x: 1}" })}"));
        var problems = new Problems();
        var root = new YamlMap(YamlTree.Parse(yaml, "all.yaml", problems), "", problems);
        SettingsFile.Read(root, new Dictionary<string, string>(), []);

        var read = root.KnownKeys().Except(sections).Except(["store.connection_path"]).ToHashSet(StringComparer.Ordinal);
        var explained = SettingDeclarations.All.SelectMany(one => one.HasFile ? new[] { one.Key, one.Key + "_path" } : [one.Key])
            .Except(["store.connection_path"]);
        read.Should().BeEquivalentTo(explained, "whoever looks a setting up finds it, and finds no other");
    }

    [Fact]
    public void TheSchemasAreTheOnesThatTheProgramPrints()
    {
        File.ReadAllText(Path.Combine(_root, "headtower.schema.json")).Should().Be(SettingsVerb.Text(SettingsSchema.Make()));
        File.ReadAllText(Path.Combine(_root, "routes.schema.json")).Should().Be(SettingsVerb.Text(RouteSchema.Make(Bodies.Names)));
        File.ReadLines(Path.Combine(_root, "headtower.yaml")).First().Should()
            .Be("# yaml-language-server: $schema=./headtower.schema.json");
        File.ReadLines(Path.Combine(_root, "routes.yaml")).First().Should().Be("# yaml-language-server: $schema=./routes.schema.json");
    }

    [Fact]
    public void NoSettingIsBothUsedAndNotUsed() =>
        KnownSettings.Unused.Select(one => one.Key).Intersect(SettingDeclarations.All.Select(one => one.Key)).Should().BeEmpty();

    [Fact]
    public void EverySettingThatTheTextNamesIsThere()
    {
        var known = SettingDeclarations.All.Select(one => one.Key).Concat(KnownSettings.Unused.Select(one => one.Key))
            .SelectMany(one => new[] { one, one + "_path" }).ToHashSet(StringComparer.Ordinal);
        var sections = known.Select(one => one.Split('.')[0]).Distinct();
        var wrong = _pages.SelectMany(page => Setting().Matches(File.ReadAllText(page)).Select(one => one.Groups[1].Value))
            .Where(
                one => sections.Contains(one.Split('.')[0]) && !known.Contains(one)
                    && !known.Any(key => key.StartsWith(one + ".", StringComparison.Ordinal))).Distinct();
        wrong.Should().BeEmpty();
    }

    [Fact]
    public void EveryVerbIsInTheReadmeAndNoOther()
    {
        var verbs = CommandLine.Root().Subcommands.Select(one => one.Name).Order();
        var table = VerbRow().Matches(File.ReadAllText(_reference)).SelectMany(row => InRow().Matches(row.Value))
            .Select(one => one.Groups[1].Value).Append("serve").Distinct().Order();
        table.Should().Equal(verbs);
        _pages.SelectMany(page => InRow().Matches(File.ReadAllText(page)).Select(one => one.Groups[1].Value)).Distinct().Except(verbs)
            .Should().BeEmpty();
    }

    [Fact]
    public async Task EveryPageIsInTheReferenceAndNoOther()
    {
        await using var gateway = await TestGateway.StartAsync();
        var paths = gateway.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(one => one.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Contains("GET") is true)
            .Select(one => one.RoutePattern.RawText!).Where(one => one.StartsWith("/admin/", StringComparison.Ordinal))
                .ToHashSet(StringComparer.Ordinal);
        var posted = gateway.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(one => one.RoutePattern.RawText!).Concat(["/admin/oidc/callback"]).ToHashSet(StringComparer.Ordinal);
        var named = _pages.SelectMany(page => PagePath().Matches(File.ReadAllText(page)).Select(one => one.Value)).Distinct().ToArray();

        named.Where(one => one is not ("/admin" or "/admin/api") && !paths.Contains(one) && !posted.Contains(one)).Should().Equal([]);
        string[] notForPeople = ["/admin/healthz", "/admin/readyz", "/admin/style.css", "/admin/oidc/start", "/admin/logout",
            "/admin/script.js", "/admin/icon.svg", "/admin/logo", "/admin/live", "/admin/connect/code.svg"];
        var rows = PageRow().Matches(File.ReadAllText(_reference)).Select(one => one.Groups[1].Value)
            .Concat(["/admin/audit.csv", "/admin/audit.jsonl", "/admin/machines.csv"]);
        rows.Order().Should()
            .Equal(
                paths.Where(one => !one.Contains('{', StringComparison.Ordinal) && !one.Contains("/api/", StringComparison.Ordinal)
                    && !notForPeople.Contains(one) && one != "/admin/users/headscale").Order());
    }

    [Fact]
    public void EveryLinkLeadsSomewhere()
    {
        var wrong = _pages.Union(Directory.GetFiles(_root, "*.md")).SelectMany(page => Link().Matches(File.ReadAllText(page))
            .Select(one => one.Groups[1].Value).Where(one => !one.Contains("://", StringComparison.Ordinal) && !LeadsSomewhere(page, one))
            .Select(one => $"{Path.GetFileName(page)}: {one}"));
        wrong.Should().BeEmpty();
    }

    /// <summary>Whether the file is there, and in it a heading of that name as GitHub writes it.</summary>
    private static bool LeadsSomewhere(string page, string link)
    {
        var (file, anchor) = link.Split('#') is [var path, var name] ? (path, name) : (link, "");
        var target = file.Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, file);
        return Path.Exists(target)
            && (anchor.Length == 0 || Heading().Matches(File.ReadAllText(target)).Any(one => AnchorOf(one) == anchor));
    }

    private static string AnchorOf(Match heading) => string.Concat(heading.Groups[1].Value.Trim().ToLowerInvariant()
        .Select(one => one is ' ' ? "-" : char.IsLetterOrDigit(one) || one is '-' or '_' ? one.ToString() : ""));

    [Fact]
    public void EveryHeaderThatTheTextNamesIsKnownToTheCodeOrAFront()
    {
        var code = string.Concat(new[] { "Gateway", "deploy" }.SelectMany(folder =>
            Directory.GetFiles(Path.Combine(_root, folder), "*", SearchOption.AllDirectories))
            .Where(one => !one.Contains("/obj/", StringComparison.Ordinal) && !one.Contains("/bin/", StringComparison.Ordinal))
                .Select(File.ReadAllText));
        _pages.SelectMany(page => HeaderName().Matches(File.ReadAllText(page)).Select(one => one.Value)).Distinct()
            .Where(one => !code.Contains(one, StringComparison.OrdinalIgnoreCase)).Should().Equal([]);
    }

    [Fact]
    public void EveryHeaderThatTheCodeNamesIsExplained()
    {
        var text = string.Concat(_pages.Select(File.ReadAllText));
        var named = Directory.GetFiles(Path.Combine(_root, "Gateway"), "*.cs", SearchOption.AllDirectories)
            .Where(one => !one.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(one => HeaderLiteral().Matches(File.ReadAllText(one))).Select(one => one.Groups[1].Value).Distinct().ToArray();
        named.Should().Contain("X-Request-Id");
        named.Where(one => !text.Contains($"`{one}`", StringComparison.OrdinalIgnoreCase)).Should().Equal([]);
    }

    [Fact]
    public void TheExamplesOfSettingsAndRowsAreUnderstood()
    {
        var blocks = _pages.SelectMany(page => Example().Matches(File.ReadAllText(page))).Select(one => one.Groups[1].Value).ToArray();
        (blocks.Length > 8).Should().BeTrue();
        foreach (var block in blocks.Where(one => one.StartsWith("oidc:", StringComparison.Ordinal)))
        {
            SettingsFile.Parse(block, "example.yaml", new Dictionary<string, string>()).Problems.Errors.Should()
                .NotContain(one => $"{one}".Contains("there is no such key", StringComparison.Ordinal));
        }

        var roles = Gateway.Loading.RouteFile.Shipped().Split("routes:\n")[0];
        foreach (var block in blocks.Where(one => one.Contains("  - {id:", StringComparison.Ordinal)
            || one.Contains("  - id:", StringComparison.Ordinal)))
        {
            Some.ReadTable(roles + (block.Contains("routes:", StringComparison.Ordinal) ? block : "routes:\n" + block));
        }
    }

    [Fact]
    public void EveryFrontIsInTheTableOfFrontsAndCanBeChosen()
    {
        var rows = File.ReadAllLines(Path.Combine(_root, "docs", "fronts.md"));
        InitFiles.Choices.Should().AllSatisfy(one =>
            rows.First(row => row.StartsWith($"| {one.Split('/')[0]} |", StringComparison.OrdinalIgnoreCase)).Should()
                .ContainEquivalentOf(one.Split('/')[1]));
        InitFiles.Choices.Count.Should().Be(ChainTests.Files.Count + 4);
    }

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"`([a-z_]+(?:\.[a-z_]+)+)`")]
    private static partial Regex Setting();

    [GeneratedRegex(@"^\| `gateway.*$", RegexOptions.Multiline)]
    private static partial Regex VerbRow();

    [GeneratedRegex(@"`(?:/opt/headtower/)?gateway ([a-z]+(?:-[a-z]+)*)")]
    private static partial Regex InRow();

    [GeneratedRegex(@"/admin(?:/[a-z.-]+)*/?")]
    private static partial Regex PagePath();

    [GeneratedRegex(@"^\| `(/admin[^`]*)`", RegexOptions.Multiline)]
    private static partial Regex PageRow();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"""((?:X|Remote)-[A-Za-z-]+)""")]
    private static partial Regex HeaderLiteral();

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"\b(?:X|Remote)-[A-Z][A-Za-z-]+[a-z]\b")]
    private static partial Regex HeaderName();
}
