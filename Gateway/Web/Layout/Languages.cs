using System.Globalization;
using Gateway.Edge;
using Microsoft.AspNetCore.Localization;

namespace Gateway.Web.Layout;

/// <summary>In which language the pages are: the operator's choice, or else what the browser asks for, or else English.</summary>
internal static class Languages
{
    public const string English = "en";

    private static readonly CultureInfo _english = new(English);

    /// <summary>The languages with a file of texts.</summary>
    public static IReadOnlyList<string> Others { get; } = ["de"];

    /// <summary>Numbers and times are written one way everywhere; only texts have a language.</summary>
    public static void UseLanguages(this IApplicationBuilder app) => app.UseRequestLocalization(new RequestLocalizationOptions
    {
        DefaultRequestCulture = new(CultureInfo.InvariantCulture, _english),
        SupportedCultures = [CultureInfo.InvariantCulture],
        SupportedUICultures = [_english, .. Others.Select(one => new CultureInfo(one))],
        RequestCultureProviders = [new CustomRequestCultureProvider(ChosenAsync), new AcceptLanguageHeaderRequestCultureProvider()],
    });

    private static Task<ProviderCultureResult?> ChosenAsync(HttpContext context) => Task.FromResult(
        RequestContext.Of(context).Configuration.Settings.Branding.Language is { } language ? new ProviderCultureResult(language) : null);
}
