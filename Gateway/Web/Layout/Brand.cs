using Gateway.Settings;

namespace Gateway.Web.Layout;

/// <summary>Whose pages these are.</summary>
/// <param name="Name">The organisation, or the product.</param>
/// <param name="HasLogo">Whether there is a picture of its own.</param>
/// <param name="Text">What the page says that signs people in; null for nothing.</param>
/// <param name="Provider">What people call the provider; null: single sign-on.</param>
/// <param name="Contact">Whom to ask; null for an administrator.</param>
public sealed record Brand(string Name, bool HasLogo, string? Text, string? Provider, string? Contact)
{
    internal static Brand Of(BrandingSettings settings) =>
        new(settings.Name, settings.Logo is not null, settings.Text, settings.ProviderName, settings.Contact);
}
