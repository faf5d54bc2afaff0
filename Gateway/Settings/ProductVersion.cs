using System.Reflection;

namespace Gateway.Settings;

/// <summary>Which build of the gateway this is.</summary>
internal static class ProductVersion
{
    /// <summary>Such as 1.2.3, without the commit.</summary>
    public static string Short { get; } = typeof(ProductVersion).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
