using Gateway.Settings;
using Gateway.Tests.Support;

namespace Gateway.Tests.Web.Layout;

/// <summary>Whose pages these are, and where they live.</summary>
public sealed class BrandTests
{
    private const string Svg = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/>";

    [Fact]
    public async Task TheOperatorsNameLogoAndWordsAreInThePages()
    {
        using var folder = new TemporaryFolder();
        var logo = folder.File("logo.svg", Svg);
        await using var gateway = await TestGateway.StartAsync(
            more: "bootstrap: {owner: proxy:alice}\n"
                + $"branding: {{name: 'Example & Sons', logo_path: '{logo}', text: Our tailnet., contact: it@example.test}}");

        var login = await new Browser(gateway).GetAsync("/admin/login");
        var mel = await gateway.BrowserOf("mel").GetAsync("/admin/");
        var nowhere = await gateway.BrowserOf("mel").GetAsync("/admin/nowhere");
        var served = await new Browser(gateway).GetAsync("/admin/logo");

        login.Text.Should().Contain("Example &amp; Sons").And.Contain("Our tailnet.").And.Contain("Ask it@example.test.").And
            .Contain("src=\"/admin/logo\"");
        mel.Text.Should().Contain("Example &amp; Sons").And.Contain("it@example.test still has to give you access.");
        nowhere.Text.Should().Contain("Quote it to it@example.test");
        (served.Status, served.Text, served.Response.Content.Headers.ContentType!.MediaType).Should().Be((200, Svg, "image/svg+xml"));
    }

    [Fact]
    public async Task WithoutSettingsTheProductsOwnSignIsThere()
    {
        await using var gateway = await TestGateway.StartAsync();
        var browser = new Browser(gateway);

        (await browser.GetAsync("/admin/login")).Text.Should().Contain("Headtower").And.NotContain("/admin/logo");
        (await browser.GetAsync("/admin/logo")).Status.Should().Be(404);
        (await browser.GetAsync("/admin/icon.svg")).Text.Should().StartWith("<svg");
    }

    [Theory]
    [InlineData("GIF89a", "must be an SVG or PNG picture")]
    [InlineData(null, "it is not there")]
    public void ALogoThatIsNoneIsRefused(string? content, string words)
    {
        using var folder = new TemporaryFolder();
        var file = content is null ? Path.Combine(folder.Path, "none.png") : folder.File("logo.png", content);

        var read = SettingsFile.Parse(
            $"headscale: {{url: 'http://127.0.0.1:1'}}\nbranding: {{logo_path: '{file}'}}", "x.yaml", new Dictionary<string, string>());

        read.Problems.Errors.Should().ContainSingle().Which.Should().Contain("branding.logo_path").And.Contain(words);
    }

    [Theory]
    [InlineData("text/html,*/*", "en", "<a href=\"https://gateway.example.test/admin/\">")]
    [InlineData("text/html,*/*", "de", "<html lang=\"de\"><title>Eine andere Adresse</title>")]
    [InlineData("*/*", "en", "These pages live at https://gateway.example.test.")]
    public async Task AnotherHostLeadsToWhereThePagesAre(string accept, string language, string words)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var http = new HttpClient { BaseAddress = gateway.Url };
        http.DefaultRequestHeaders.TryAddWithoutValidation("Accept", accept);
        http.DefaultRequestHeaders.Add("Accept-Language", language);

        using var answer = await http.GetAsync(new Uri("/admin/", UriKind.Relative));

        ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()).Should().Match<(int Status, string Text)>(one =>
            one.Status == 421 && one.Text.Contains(words, StringComparison.Ordinal));
    }
}
