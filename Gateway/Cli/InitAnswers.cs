namespace Gateway.Cli;

/// <summary>What <c>gateway init</c> was told.</summary>
/// <param name="Choice">Front and way to sign in, as <c>nginx/authelia</c>.</param>
/// <param name="Headscale">Where Headscale listens.</param>
/// <param name="BaseUrl">The public address.</param>
/// <param name="Output">The folder to write to.</param>
/// <param name="Data">The folder of the store.</param>
internal sealed record InitAnswers(string Choice, Uri Headscale, Uri BaseUrl, string Output, string Data)
{
    /// <summary>The provider's issuer, as it writes itself.</summary>
    public string? Issuer { get; init; }

    public string? ClientId { get; init; }

    /// <summary>Who becomes the owner, as <c>bootstrap.owner</c> has it; null: whoever comes first.</summary>
    public string? Owner { get; init; }

    /// <summary>Where the gateway listens, behind a front.</summary>
    public Uri? Listen { get; init; }

    /// <summary>Where the front asks who somebody is.</summary>
    public Uri? AuthUrl { get; init; }

    /// <summary>Where people see the service that signs them in.</summary>
    public Uri? Portal { get; init; }

    public string? Certificate { get; init; }

    public string? CertificateKey { get; init; }

    /// <summary>PEM file of the certificate: as it was named, or where the samples have it.</summary>
    public string CertificateFile => Certificate ?? $"/etc/ssl/{BaseUrl.Host}/fullchain.pem";

    /// <summary>PEM file of its key.</summary>
    public string CertificateKeyFile => CertificateKey ?? $"/etc/ssl/{BaseUrl.Host}/privkey.pem";

    /// <summary>Whether systemd hands certificate and key over to the gateway, whose user may not read the key.</summary>
    public bool HandsCertificate => IsService && IsAlone;

    /// <summary>Links beside the settings to what systemd hands over, so that 'check' finds it as the service does.</summary>
    public IEnumerable<(string Name, string Target)> Links =>
        HandsCertificate ? [("tls-cert", CertificateFile), ("tls-key", CertificateKeyFile)] : [];

    /// <summary>Whether secrets come as credentials of a systemd unit.</summary>
    public bool IsService { get; init; }

    /// <summary>Whether the units are put into place as well.</summary>
    public bool IsInstalled { get; init; }

    /// <summary>Headscale's own socket.</summary>
    public string? Socket { get; init; }

    /// <summary>Headscale's API key, where there is no socket.</summary>
    public string? Key { get; init; }

    /// <summary>Whether the gateway itself signs people in.</summary>
    public bool SignsIn => Choice.EndsWith("/oidc", StringComparison.Ordinal);

    /// <summary>Whether a provider has to be named.</summary>
    public bool NeedsIssuer => SignsIn || Choice.EndsWith("/openidc", StringComparison.Ordinal);

    /// <summary>Whether nothing stands in front.</summary>
    public bool IsAlone => Choice.StartsWith("none/", StringComparison.Ordinal);

    public string ConfigFile => Path.Combine(Output, "headtower.yaml");
}
