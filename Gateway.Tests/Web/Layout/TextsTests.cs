using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Edge;
using Gateway.Policy;
using Gateway.Tests.Deploy;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Layout;

/// <summary>Every word of the pages can be had in another language, and German is there.</summary>
public sealed partial class TextsTests
{
    private static readonly string _pages = Path.Combine(Path.GetDirectoryName(Front.Folder)!, "Gateway", "Web");

    [Theory]
    [InlineData("de")]
    public void EveryTextOfThePagesIsTranslatedAndNoOther(string language)
    {
        var translated = Translations(language);

        var used = UsedTexts().ToHashSet(StringComparer.Ordinal);
        used.Should().HaveCountGreaterThan(700);
        string.Join('\n', used.Except(translated.Keys)).Should().BeEmpty($"texts.{language}.json lacks them");
        string.Join('\n', translated.Keys.Except(used)).Should().BeEmpty($"texts.{language}.json has them, and no page");
        translated.Where(one => one.Value.Length == 0).Should().BeEmpty();
        translated.Where(one => !PlacesOf(one.Key).IsSupersetOf(PlacesOf(one.Value))).Should().BeEmpty("a value has its place in both");
    }

    [Fact]
    public void NoWordStandsInAPageWithoutBeingATextThatCanBeTranslated()
    {
        var left = new List<string>();
        foreach (var file in Directory.EnumerateFiles(_pages, "*.razor", SearchOption.AllDirectories))
        {
            var markup = CodeBlock().Split(File.ReadAllText(file))[0];
            markup = Comment().Replace(markup, "");
            left.AddRange(Words().Matches(markup).Select(one => $"{Path.GetFileName(file)}: {one.Value.Trim()}"));
        }

        // Names that no language changes, and what Tailscale's own programs call things.
        string.Join('\n', left.Where(one => !NotTranslated().IsMatch(one))).Should().BeEmpty();
    }

    [Theory]
    [InlineData("auto", "de-CH,de;q=0.9,en;q=0.8", "de", "Geräte")]
    [InlineData("auto", "fr,de;q=0.5", "de", "Geräte")]
    [InlineData("auto", "de-DE", "de", "Geräte")]
    [InlineData("auto", "DE-at", "de", "Geräte")]
    [InlineData("auto", "de;q=0.2,en-GB", "en", "Devices")]
    [InlineData("auto", "de;q=0,fr", "en", "Devices")]
    [InlineData("auto", "fr", "en", "Devices")]
    [InlineData("auto", "*", "en", "Devices")]
    [InlineData("auto", "xx-nonsense-", "en", "Devices")]
    [InlineData("auto", null, "en", "Devices")]
    [InlineData("de", "en", "de", "Geräte")]
    [InlineData("en", "de", "en", "Devices")]
    public async Task APageIsInTheLanguageThatTheOperatorOrTheBrowserChose(string setting, string? asked, string language, string title)
    {
        await using var gateway = await TestGateway.StartAsync(more: $"branding: {{language: {setting}}}");
        using var alice = gateway.BrowserOf("alice");
        if (asked is not null)
        {
            alice.Headers["Accept-Language"] = asked;
        }

        var page = System.Net.WebUtility.HtmlDecode((await alice.GetAsync("/admin/machines")).Text);

        page.Should().Contain($"<html lang=\"{language}\"").And.Contain($"<h1>{title}</h1>");
    }

    [Fact]
    public async Task ARefusalIsTranslatedForPeopleAndNotForPrograms()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var sam = gateway.BrowserOf("sam");
        sam.Headers["Accept-Language"] = "de";

        var page = (await sam.GetAsync("/admin/policy")).Text;
        System.Net.WebUtility.HtmlDecode(page).Should().Contain("Ihre Rolle self_service");
        (await sam.GetAsync("/api/v1/policy")).Text.Should().Contain("your role self_service lacks read_policy");
    }

    [Fact]
    public async Task WhatCannotBeDoneToAPersonIsSaidInTheReadersLanguage()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var alice = gateway.BrowserOf("alice");
        using var vera = gateway.BrowserOf("vera");
        await vera.GetAsync("/admin/");
        alice.Headers["Accept-Language"] = "de";
        var id = gateway.People.Snapshot.Everyone.Single(one => one.Subject == "vera").Id;

        var page = await alice.SubmitAsync($"/admin/users/{id}", $"/admin/users/{id}/role", ("role", "owner"));

        System.Net.WebUtility.HtmlDecode(page.Text).Should().Contain("Sie dürfen die Rolle „owner“ nicht vergeben");
    }

    /// <summary>The texts of the pages, and the sentences that come from what is right of them.</summary>
    private static IEnumerable<string> UsedTexts()
    {
        foreach (var file in Directory.EnumerateFiles(_pages, "*.*", SearchOption.AllDirectories)
            .Where(one => one.EndsWith(".cs", StringComparison.Ordinal) || one.EndsWith(".razor", StringComparison.Ordinal)))
        {
            var text = File.ReadAllText(file);
            foreach (Match call in Call().Matches(text))
            {
                // Of T and Noop the first argument is a text, of Plural the second and third are.
                var isPlural = call.Value.StartsWith("Plural", StringComparison.Ordinal);
                foreach (var argument in ArgumentsOf(text, call.Index + call.Length).Skip(isPlural ? 1 : 0).Take(isPlural ? 2 : 1))
                {
                    foreach (Match literals in Literals().Matches(argument))
                    {
                        yield return string.Concat(Literal().Matches(literals.Value)
                            .Select(one => JsonSerializer.Deserialize<string>($"\"{one.Groups[1].Value}\"")));
                    }
                }
            }
        }

        foreach (var detail in new[] { null, "x" })
        {
            foreach (var reason in Enum.GetValues<Reason>())
            {
                yield return Refusals.SentenceOf(new(reason, "viewer", Capability.UseTags, detail)).Sentence;
            }
        }

        foreach (var sentence in SaidSentences().Concat(RuleSentences()))
        {
            yield return sentence;
        }
    }

    /// <summary>What is marked for translation where it is decided, with places for its values.</summary>
    private static IEnumerable<string> SaidSentences() =>
        from file in Directory.EnumerateFiles(Path.Combine(_pages, "..", "Users"), "*.cs")
        from Match one in Said().Matches(File.ReadAllText(file))
        let at = new[] { 0 }
        select Value().Replace(one.Groups[1].Value, _ => $"{{{at[0]++}}}");

    private static IEnumerable<string> RuleSentences() =>
        from rule in Some.Table.Rules
        where rule.Plane is Plane.Api
        from role in Some.Table.Roles
        from problem in new (Reason, string)?[] { null, (Reason.BadQuery, "x") }
        from check in RuleChecks.Of(rule, new Call { Method = rule.Methods.First(), Problem = problem },
            Facts.Anonymous with { Role = role, Operations = [] })
        select check.Sentence;

    /// <summary>What stands between the commas of a call, without what calls in it have.</summary>
    private static List<string> ArgumentsOf(string text, int start)
    {
        var (depth, inText, found) = (0, false, new List<StringBuilder> { new() });
        for (var at = start; depth >= 0; at++)
        {
            var letter = text[at];
            if (inText && letter == '\\')
            {
                found[^1].Append(text, at++, 2);
                continue;
            }

            inText ^= letter == '"';
            depth += inText ? 0 : letter switch { '(' or '[' => 1, ')' or ']' => -1, _ => 0 };
            if (depth == 0 && letter == ',' && !inText)
            {
                found.Add(new());
            }
            else if (depth == 0)
            {
                found[^1].Append(letter);
            }
        }

        return [.. found.Select(one => one.ToString())];
    }

    private static Dictionary<string, string> Translations(string language) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(Path.Combine(_pages, "Layout", $"texts.{language}.json")))!;

    private static HashSet<string> PlacesOf(string text) => [.. Place().Matches(text).Select(one => one.Value)];

    [GeneratedRegex(@"(?<![\w.])(?:T|Plural|Noop)\((?!string |long |variable)")]
    private static partial Regex Call();

    [GeneratedRegex("""(?<!\$)"(?:[^"\\]|\\.)*"(?:\s*\+\s*"(?:[^"\\]|\\.)*")*""")]
    private static partial Regex Literals();

    [GeneratedRegex("""
        "((?:[^"\\]|\\.)*)"
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Literal();

    [GeneratedRegex(@"\{\d\}")]
    private static partial Regex Place();

    [GeneratedRegex(@"^@code", RegexOptions.Multiline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"@\*.*?\*@|<!--.*?-->", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex("""
        (?<=>)[^<>@{}();=]*\p{L}{2,}[^<>@{}();=]*(?=<)
        |(?<=\s(?:title|aria-label|placeholder|alt|Title|State)=")[^"@]*\p{L}{2,}[^"@]*(?=")
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Words();

    [GeneratedRegex(": (?:CSV|JSON|UTC|Headscale|oidc|local|/.*|tag:.*|10[.].*|nodes[.].*|tailscale[. ].*|headscale .*|curl .*|"
        + "Log in|Use custom .*|Accounts|Use an .*)$")]
    private static partial Regex NotTranslated();

    [GeneratedRegex("""(?:Said|Refuse)\(\s*\$"((?:[^"{]|\{(?:[^{}"]|"[^"]*")*\})*)"\)""")]
    private static partial Regex Said();

    [GeneratedRegex("""\{[^}]*\}""")]
    private static partial Regex Value();
}
