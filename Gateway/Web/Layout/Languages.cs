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
        RequestCultureProviders = [new CustomRequestCultureProvider(ChosenAsync), new CustomRequestCultureProvider(AskedForAsync)],
    });

    private static Task<ProviderCultureResult?> ChosenAsync(HttpContext context) => Task.FromResult(
        RequestContext.Of(context).Configuration.Settings.Branding.Language is { } language ? new ProviderCultureResult(language) : null);

    /// <summary>
    /// The first that there is, whatever the country: <c>de-AT</c> is German. Cultures without data do not know their parents, so that
    /// ASP.NET's own provider finds only what is written exactly.
    /// </summary>
    private static Task<ProviderCultureResult?> AskedForAsync(HttpContext context)
    {
        var wanted = context.Request.GetTypedHeaders().AcceptLanguage.Where(one => one.Quality is not 0)
            .OrderByDescending(one => one.Quality ?? 1).Select(one => $"{one.Value}".Split('-')[0].ToLowerInvariant())
            .FirstOrDefault(one => one == English || Others.Contains(one));
        return Task.FromResult(wanted is null ? null : new ProviderCultureResult(wanted));
    }
}
