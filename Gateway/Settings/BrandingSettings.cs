using System.Text;

namespace Gateway.Settings;

/// <summary>A picture of the operator's.</summary>
/// <param name="Bytes">The file.</param>
/// <param name="Type">image/svg+xml or image/png.</param>
internal sealed record Logo(byte[] Bytes, string Type);

/// <summary>The section <c>branding</c>: whose pages these are.</summary>
/// <param name="Name">The name in the frame and in titles.</param>
/// <param name="Logo">In the place of the product's sign; null: that.</param>
/// <param name="Text">What the page says that signs people in.</param>
/// <param name="ProviderName">What people call the sign-in provider.</param>
/// <param name="Contact">Whom to ask.</param>
/// <param name="Language">The language of the pages; null: the one that the browser asks for.</param>
internal sealed record BrandingSettings(string Name, Logo? Logo, string? Text, string? ProviderName, string? Contact, string? Language)
{
    private const int LargestLogo = 100 * 1024;

    private static readonly byte[] _png = [0x89, (byte)'P', (byte)'N', (byte)'G'];

    public static BrandingSettings Read(YamlMap map, List<string> files) => new(
        map.TextOrDefault("name"), ReadLogo(map, files), map.Text("text"), map.Text("provider_name"), map.Text("contact"),
        map.Word("language") is var word and not "auto" ? word : null);

    private static Logo? ReadLogo(YamlMap map, List<string> files)
    {
        if (map.Text("logo_path") is not { } file)
        {
            return null;
        }

        files.Add(file);
        try
        {
            var bytes = File.ReadAllBytes(file);
            var type = bytes.AsSpan().StartsWith(_png) ? "image/png"
                : Encoding.UTF8.GetString(bytes).Contains("<svg", StringComparison.Ordinal) ? "image/svg+xml"
                : null;
            if (type is not null && bytes.Length <= LargestLogo)
            {
                return new(bytes, type);
            }

            map.Complain("logo_path", $"{file} must be an SVG or PNG picture of at most {LargestLogo / 1024} kB");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            map.Complain("logo_path", SecretFiles.UnreadableComplaint(file, e));
        }

        return null;
    }
}
